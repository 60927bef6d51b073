import Formats

extension DecoderBuilder {
  mutating func mamba(_ prefix: String) throws(ArchitectureError) -> MambaDescription {
    let channels = try innerWidth()
    let state = try config.size(["state_size"], absent: 16)
    let rank: Int
    if case .value("auto", _) = config.find(["time_step_rank"]) {
      rank = (hiddenSize + 15) / 16
    } else {
      rank = try config.size(["time_step_rank"], absent: (hiddenSize + 15) / 16)
    }
    let bias = try config.flag("use_bias", absent: false)
    return MambaDescription(
      input: linear(prefix + "in_proj", bias: bias, hiddenSize, 2 * channels),
      convolution: try convolution(prefix, channels: channels),
      parameters: linear(prefix + "x_proj", bias: false, channels, rank + 2 * state),
      step: linear(prefix + "dt_proj", bias: true, rank, channels),
      output: linear(prefix + "out_proj", bias: bias, channels, hiddenSize),
      logDecay: prefix + "A_log", skip: prefix + "D", channels: channels, stateSize: state,
      stepRank: rank)
  }

  /// The hidden size times `expand`; the configuration may say it again.
  private mutating func innerWidth() throws(ArchitectureError) -> Int {
    let channels = try config.size(["expand"], absent: 2, limit: 64) * hiddenSize
    if let said = try config.sizeIfPresent(["intermediate_size"]), said != channels {
      throw .badValue(key: "intermediate_size", value: "\(said)", expected: "\(channels)")
    }
    return channels
  }

  private mutating func convolution(
    _ prefix: String, channels: Int
  ) throws(ArchitectureError) -> ConvolutionDescription {
    ConvolutionDescription(
      weight: prefix + "conv1d.weight",
      bias: try config.flag("use_conv_bias", absent: true) ? prefix + "conv1d.bias" : nil,
      channels: channels, taps: try config.size(["conv_kernel"], absent: 4, limit: 64))
  }

  mutating func mamba2(_ prefix: String) throws(ArchitectureError) -> Mamba2Description {
    let heads = try config.size(["num_heads"], limit: 1 << 12)
    let width = try config.size(["head_dim"], limit: 1 << 12)
    let groups = try config.size(["n_groups"], absent: 8, limit: heads)
    let state = try config.size(["state_size"], absent: 128, limit: 1 << 14)
    let inner = try innerWidth()
    guard heads * width == inner, heads % groups == 0 else {
      throw .badValue(
        key: "num_heads", value: "\(heads)",
        expected: "\(inner) channels by heads of \(width), in \(groups) groups")
    }
    let bias = try config.flag("use_bias", absent: false)
    let mixed = inner + 2 * groups * state
    var steps = [0, Double.infinity]
    if config.has("time_step_limit") { steps = try config.numbers("time_step_limit", count: 2) }
    guard steps[0] <= steps[1] else {
      throw .badValue(
        key: "time_step_limit", value: "\(steps)", expected: "a lower and an upper limit")
    }
    return Mamba2Description(
      input: linear(prefix + "in_proj", bias: bias, hiddenSize, inner + mixed + heads),
      convolution: try convolution(prefix, channels: mixed),
      output: linear(prefix + "out_proj", bias: bias, inner, hiddenSize),
      norm: norm(
        prefix + "norm", features: inner, groupSize: inner / groups, epsilon: epsilon),
      logDecay: prefix + "A_log", skip: prefix + "D", stepBias: prefix + "dt_bias",
      headCount: heads, headWidth: width, groupCount: groups, stateSize: state,
      leastStep: Float(steps[0]), largestStep: Float(steps[1]))
  }
}
