import Foundation
import Model

/// The loops of state-space mixers over the tokens of one window.
enum StateSpaceScan {
  /// A causal convolution of each channel, then SiLU; what comes before the window is zero.
  static func convolve(
    _ inputs: [Float], window: Range<Int>, channels: Int, taps: Int, weights: [Float],
    biases: [Float], into output: inout [Float]
  ) {
    for (position, token) in window.enumerated() {
      for channel in 0..<channels {
        var sum: Float = biases.isEmpty ? 0 : biases[channel]
        for tap in max(0, taps - 1 - position)..<taps {
          let source = token + tap + 1 - taps
          sum += inputs[source * channels + channel] * weights[channel * taps + tap]
        }
        output[token * channels + channel] = silu(sum)
      }
    }
  }

  /// What a scan reads, of all tokens: `[tokens, …]`.
  struct Inputs {
    /// u, `[channels]`.
    let inputs: [Float]
    /// Δ, for each channel, or for each head.
    let steps: [Float]
    /// B and C, `[groups, state]` each.
    let b: [Float]
    let c: [Float]
    /// A: for each channel and state, or for each head.
    let decays: [Float]
    /// D, for each channel or head.
    let skips: [Float]
    /// Channels that share a step, decay and skip.
    let headWidth: Int
    let headCount: Int
    /// Heads that share B and C.
    let headsPerGroup: Int
    let stateSize: Int
    /// Whether each number of the state has a decay of its own.
    let decaysByState: Bool
  }

  /// `h = exp(Δ A) h + Δ u B`, `y = C h + D u`, from h = 0.
  ///
  /// - Returns: y, `[positions, channels]`.
  static func scan(_ from: Inputs, window: Range<Int>) -> [Float] {
    let channels = from.headCount * from.headWidth
    let groups = from.headCount / from.headsPerGroup
    var state = [Float](repeating: 0, count: channels * from.stateSize)
    var output = [Float](repeating: 0, count: window.count * channels)
    for (position, token) in window.enumerated() {
      for head in 0..<from.headCount {
        let step = from.steps[token * from.headCount + head]
        let common = from.decaysByState ? 0 : exp(step * from.decays[head])
        let group = (token * groups + head / from.headsPerGroup) * from.stateSize
        for channel in head * from.headWidth..<(head + 1) * from.headWidth {
          let input = from.inputs[token * channels + channel]
          var sum = from.skips[head] * input
          for index in 0..<from.stateSize {
            let place = channel * from.stateSize + index
            let decay =
              from.decaysByState
              ? exp(step * from.decays[head * from.stateSize + index]) : common
            state[place] = decay * state[place] + step * input * from.b[group + index]
            sum += state[place] * from.c[group + index]
          }
          output[position * channels + channel] = sum
        }
      }
    }
    return output
  }
}
