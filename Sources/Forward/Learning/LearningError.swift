import Formats

/// Why codes cannot be learned.
package enum LearningError: DescribedError, Equatable {
  case unsupported(modelType: String, layer: Int, what: String)
  /// A calibration file of before, which does not hold the tokens of its text.
  case noTokens(path: String)
  /// None of the packed tensors is one of the source's matrices.
  case nothingToLearn(path: String)

  package var message: String {
    switch self {
    case .unsupported(let modelType, let layer, let what):
      "codes of '\(modelType)' cannot be learned: layer \(layer) has \(what)"
    case .noTokens(let path): "\(path) does not hold the tokens of its text"
    case .nothingToLearn(let path):
      "none of the packed tensors of \(path) is a matrix of a layer as the source has it"
    }
  }

  package var hint: String? {
    switch self {
    case .unsupported, .nothingToLearn: "use '--method gptq'"
    case .noTokens: "make it again with 'decant calibrate'"
    }
  }
}
