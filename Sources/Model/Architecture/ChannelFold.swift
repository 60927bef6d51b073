import Formats

/// Channels whose scale is free: what makes them may be divided, channel by channel, by any positive factors
/// where all that reads them is multiplied by the same, and the model's outputs stay as they are.
/// SmoothQuant, arXiv 2211.10438, section 4; AWQ, arXiv 2306.00978, section 3.2.
package struct ChannelFold: Sendable, Equatable {
  package enum Producer: Sendable, Equatable {
    /// A norm with a factor for each channel; its summands are divided too.
    case norm(NormDescription)
    /// Outputs of a linear layer, and their biases: those of one part of a fused one, or all.
    case linear(LinearDescription, FusedRows?, FusedRows.Part)
  }

  package let producer: Producer
  package let channelCount: Int
  /// Every linear layer that reads the channels. Nothing else does.
  package let readers: [LinearDescription]
  /// The readers' inputs are runs of this width; `runsPerChannels` of them, one after the other, read the same
  /// channels, as heads do that share values.
  package let runWidth: Int
  package let runsPerChannels: Int

  /// All inputs read channels of their own.
  init(_ producer: Producer, channels: Int, readers: [LinearDescription]) {
    self.init(producer, readers: readers, runWidth: channels, runCount: 1, runsPerChannels: 1)
  }

  /// - Parameter runCount: of the readers' inputs; a multiple of `runsPerChannels`.
  init(
    _ producer: Producer, readers: [LinearDescription], runWidth: Int, runCount: Int,
    runsPerChannels: Int
  ) {
    self.producer = producer
    self.readers = readers
    self.runWidth = runWidth
    self.runsPerChannels = runsPerChannels
    channelCount = runCount / runsPerChannels * runWidth
  }

  /// The module that makes the channels, which makes those of no other fold.
  package var module: String {
    switch producer {
    case .norm(let norm): norm.module
    case .linear(let linear, _, _): linear.module
    }
  }

  /// The channel that input `input` of a reader reads.
  package func channel(ofInput input: Int) -> Int {
    input / (runWidth * runsPerChannels) * runWidth + input % runWidth
  }
}

extension LayerDescription {
  /// The channels between the layer's own parts whose scales are free.
  ///
  /// Between a norm and what reads its output; between up and down projections where the activation lies on the
  /// gate alone or is ReLU, which is homogeneous; between values and the output projection, since attention adds
  /// up values channel by channel. Where one more thing reads a channel there is none.
  package var folds: [ChannelFold] {
    var folds: [ChannelFold] = []
    // What a part adds to would be scaled as well.
    if !addsToNormalized {
      let fed = feedForward?.inputReaders ?? []
      let isShared = arrangement == .parallel && norms.preFeedForward == nil
      folds += [
        Self.fold(norms.preMixer, mixer.inputReaders + (isShared ? fed : [])),
        Self.fold(norms.preFeedForward, fed),
      ].compactMap(\.self)
    }
    return folds + mixer.folds + (feedForward?.folds ?? [])
  }

  /// Nil for a norm that is not there, or has no factor for each of its features.
  fileprivate static func fold(
    _ norm: NormDescription?, _ readers: [LinearDescription]
  ) -> ChannelFold? {
    guard let norm, norm.weights.count == 1, norm.shape == [norm.features], !readers.isEmpty else {
      return nil
    }
    return ChannelFold(.norm(norm), channels: norm.features, readers: readers)
  }
}

extension LayerDescription.Mixer {
  /// All that reads the mixer's input.
  fileprivate var inputReaders: [LinearDescription] {
    switch self {
    case .attention(let attention):
      switch attention.projection {
      case .separate(let query, let key, let value): [query, key, value]
      case .fused(let linear, _): [linear]
      }
    case .latentAttention(let latent):
      [latent.queryLatent?.down ?? latent.query, latent.keyValueDown]
    case .mamba(let mamba): [mamba.input]
    case .mamba2(let mamba): [mamba.input]
    }
  }

  fileprivate var folds: [ChannelFold] {
    switch self {
    case .attention(let attention): [attention.valueFold]
    case .latentAttention(let latent): latent.folds
    case .mamba: []
    case .mamba2(let mamba):
      [LayerDescription.fold(mamba.norm, [mamba.output])].compactMap(\.self)
    }
  }
}

extension AttentionDescription {
  fileprivate var valueFold: ChannelFold {
    let producer: ChannelFold.Producer =
      switch projection {
      case .separate(_, _, let value): .linear(value, nil, .v)
      case .fused(let linear, let rows): .linear(linear, rows, .v)
      }
    return ChannelFold(
      producer, readers: [output], runWidth: heads.valueWidth, runCount: heads.count,
      runsPerChannels: heads.count / heads.keyValueCount)
  }
}

extension LatentAttentionDescription {
  fileprivate var folds: [ChannelFold] {
    let width = heads.valueWidth
    // The counts are those that the rows are made of.
    let rows = FusedRows(
      [.init(.k, plainWidth), .init(.v, width)], repeats: heads.count, rowCount: keyValueUp.outputs)!
    let values = ChannelFold(
      .linear(keyValueUp, rows, .v), channels: heads.count * width, readers: [output])
    return [
      queryLatent.flatMap { LayerDescription.fold($0.norm, [query]) },
      LayerDescription.fold(latentNorm, [keyValueUp]), values,
    ].compactMap(\.self)
  }
}

extension FeedForwardDescription {
  /// All that reads the part's input.
  fileprivate var inputReaders: [LinearDescription] {
    switch self {
    case .plain(let plain): return [plain.up]
    case .gated(let gated): return gated.inputReaders
    case .mixture(let mixture):
      let experts = (0..<mixture.experts.count).flatMap {
        mixture.experts.expert($0).inputReaders
      }
      let shared = [mixture.shared?.gate].compactMap(\.self)
      return [mixture.router] + experts + shared + (mixture.shared?.expert.inputReaders ?? [])
    }
  }

  fileprivate var folds: [ChannelFold] {
    switch self {
    case .plain(let plain):
      plain.activation == .relu
        ? [
          ChannelFold(
            .linear(plain.up, nil, .up), channels: plain.up.outputs, readers: [plain.down])
        ] : []
    case .gated(let gated): [gated.fold].compactMap(\.self)
    case .mixture(let mixture):
      (0..<mixture.experts.count).compactMap { mixture.experts.expert($0).fold }
        + [mixture.shared?.expert.fold].compactMap(\.self)
    }
  }
}

extension GatedFeedForward {
  fileprivate var inputReaders: [LinearDescription] {
    switch projection {
    case .separate(let gate, let up): [gate, up]
    case .fused(let linear, _): [linear]
    }
  }

  /// Nil where the activation sees what is to be scaled, and of one matrix of a stack.
  fileprivate var fold: ChannelFold? {
    guard case .activated = gating, down.place == nil else { return nil }
    let producer: ChannelFold.Producer =
      switch projection {
      case .separate(_, let up): .linear(up, nil, .up)
      case .fused(let linear, let rows): .linear(linear, rows, .up)
      }
    return ChannelFold(producer, channels: down.inputs, readers: [down])
  }
}
