import Formats

/// Why a model cannot be written as a GGUF file that llama.cpp runs.
package enum GGUFModelError: DescribedError, Equatable {
  /// llama.cpp has no such architecture, or it is not known here.
  case unknownModelType(String)
  /// Something that the model computes, and llama.cpp's architecture does not.
  case notExpressible(String, modelType: String, architecture: String)
  case missingTensor(String, modelType: String)
  case wrongShape(tensor: String, shape: [UInt64], expected: [Int])
  /// A tensor that no tensor of the architecture is made of.
  case noHome(tensor: String, architecture: String)
  /// Something of a tokenizer that llama.cpp does otherwise.
  case tokenizer(String)

  package var message: String {
    switch self {
    case .unknownModelType(let type): "llama.cpp has no architecture for model_type '\(type)'"
    case .notExpressible(let what, let type, let architecture):
      "llama.cpp's architecture '\(architecture)' cannot express \(what), which this '\(type)' has"
    case .missingTensor(let name, let type): "there is no tensor '\(name)', which '\(type)' needs"
    case .wrongShape(let tensor, let shape, let expected):
      "tensor '\(tensor)' has shape \(shape); by config.json it is \(expected)"
    case .noHome(let tensor, let architecture):
      "tensor '\(tensor)' has no place in llama.cpp's architecture '\(architecture)'"
    case .tokenizer(let what): "tokenizer.json has \(what), which llama.cpp cannot express"
    }
  }

  package var hint: String? {
    switch self {
    case .unknownModelType:
      "known are "
        + GGUFArchitecture.all.flatMap(\.modelTypes).sorted().joined(separator: ", ")
    case .noHome: "parts for images and sounds, and heads of other tasks, are not written"
    case .tokenizer:
      "without a tokenizer beside it, the model is written so that it runs on ids alone"
    case .notExpressible, .missingTensor, .wrongShape: nil
    }
  }
}
