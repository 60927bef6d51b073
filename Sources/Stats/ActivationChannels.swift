/// Per-channel figures of a linear layer's inputs, `[tokens, channels]`.
///
/// AbsMax feeds SmoothQuant (arXiv 2211.10438, Eq. 4), mean |x| AWQ (2306.00978, section 3.1), mean
/// x² the importance matrix and the diagonal of GPTQ's Hessian.
package struct ActivationChannels: Sendable, Equatable {
  package private(set) var tokenCount = 0
  package private(set) var absMax: [Float]
  /// Sums over the tokens.
  package private(set) var magnitudeSums: [Double]
  package private(set) var squareSums: [Double]
  /// Tokens with a magnitude of at least `outlierMagnitude`.
  package private(set) var outlierTokens: [Int]
  /// Tokens at which the channel's value takes no part in the means.
  private var leftOut: [Int]

  /// LLM.int8() (arXiv 2208.07339, section 4.1): the magnitude of an outlier feature.
  package static let outlierMagnitude: Float = 6

  package init(channelCount: Int) {
    absMax = Array(repeating: 0, count: channelCount)
    magnitudeSums = Array(repeating: 0, count: channelCount)
    squareSums = Array(repeating: 0, count: channelCount)
    outlierTokens = Array(repeating: 0, count: channelCount)
    leftOut = Array(repeating: 0, count: channelCount)
  }

  package var channelCount: Int { absMax.count }

  /// Sees `tokens` rows of finite values from the start of `values`.
  package mutating func add(_ values: [Float], tokens: Int) {
    tokenCount += tokens
    let width = channelCount
    let source = values.span
    for token in 0..<tokens {
      for channel in 0..<width {
        let value = source[token * width + channel]
        let magnitude = value.magnitude
        absMax[channel] = max(absMax[channel], magnitude)
        magnitudeSums[channel] += Double(magnitude)
        squareSums[channel] += Double(value) * Double(value)
        outlierTokens[channel] += magnitude >= Self.outlierMagnitude ? 1 : 0
      }
    }
  }

  /// Says that one of the values seen was a 0 in place of no finite number.
  package mutating func leaveOut(channel: Int) { leftOut[channel] += 1 }

  /// Adds what `other` saw of the same channels.
  package mutating func merge(_ other: ActivationChannels) {
    precondition(channelCount == other.channelCount)
    tokenCount += other.tokenCount
    for channel in 0..<channelCount {
      absMax[channel] = max(absMax[channel], other.absMax[channel])
      magnitudeSums[channel] += other.magnitudeSums[channel]
      squareSums[channel] += other.squareSums[channel]
      outlierTokens[channel] += other.outlierTokens[channel]
      leftOut[channel] += other.leftOut[channel]
    }
  }

  /// Mean |x| of every channel; 0 of nothing.
  package var meanMagnitudes: [Double] { means(magnitudeSums) }

  /// Mean x² of every channel; 0 of nothing.
  package var meanSquares: [Double] { means(squareSums) }

  private func means(_ sums: [Double]) -> [Double] {
    zip(sums, leftOut).map { $0 / Double(max(1, tokenCount - $1)) }
  }
}
