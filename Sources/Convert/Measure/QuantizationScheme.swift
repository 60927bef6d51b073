/// What is quantized together.
package enum QuantizationScheme: Sendable, Hashable {
  /// Consecutive weights along the inputs; asymmetric.
  case group(size: Int)
  /// All values, or all values of a token, around zero: `step = AbsMax / (2^(b-1) - 1)`.
  case perTensor
  case perToken
  /// Consecutive channels of one head and token; asymmetric (Qllm-Eval).
  case perTokenGroup(size: Int)
  /// Consecutive tokens of one channel; asymmetric (KIVI, arXiv 2402.02750).
  case perChannelGroup(tokens: Int)

  package enum Name: String, Sendable {
    case group
    case perTensor = "per_tensor"
    case perToken = "per_token"
    case perTokenGroup = "per_token_group"
    case perChannelGroup = "per_channel_group"
  }

  package var name: Name {
    switch self {
    case .group: .group
    case .perTensor: .perTensor
    case .perToken: .perToken
    case .perTokenGroup: .perTokenGroup
    case .perChannelGroup: .perChannelGroup
    }
  }

  /// Values that share a scale; nil where that is not a fixed number.
  package var groupSize: Int? {
    switch self {
    case .group(let size), .perTokenGroup(let size), .perChannelGroup(let size): size
    case .perTensor, .perToken: nil
    }
  }
}
