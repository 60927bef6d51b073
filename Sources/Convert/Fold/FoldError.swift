import Formats

/// Why channels of a model cannot be scaled.
package enum FoldError: DescribedError, Equatable {
  case packed(path: String)
  case noFolds(path: String, modelType: String)
  case unknownModule(path: String, module: String, modelType: String)
  case wrongCount(path: String, module: String, count: Int, expected: Int)
  case missingTensor(path: String, tensor: String)
  case wrongShape(path: String, tensor: String, shape: [Int], expected: [Int])
  case notMeasured(path: String, calibration: String)

  package var message: String {
    switch self {
    case .packed(let path): "\(path) is packed; channels are scaled before weights are quantized"
    case .noFolds(let path, let modelType):
      "\(path): a '\(modelType)' of this configuration has no channels whose scale is free"
    case .unknownModule(let path, let module, let modelType):
      "\(path): a '\(modelType)' has no channels of '\(module)' whose scale is free"
    case .wrongCount(let path, let module, let count, let expected):
      "\(path): \(count) channels of '\(module)' are scaled; it has \(expected)"
    case .missingTensor(let path, let tensor):
      "\(path): tensor '\(tensor)', whose channels would be scaled, is missing"
    case .wrongShape(let path, let tensor, let shape, let expected):
      "\(path): tensor '\(tensor)' has shape \(shape); its channels can be scaled in \(expected)"
    case .notMeasured(let path, let calibration):
      "\(calibration) has the inputs of none of the layers of \(path) whose channels can be scaled"
    }
  }

  package var hint: String? {
    switch self {
    case .packed: "convert the original"
    case .noFolds: "leave --smooth out"
    case .notMeasured: "make it again with 'decant calibrate'"
    case .unknownModule, .wrongCount, .missingTensor, .wrongShape: nil
    }
  }
}
