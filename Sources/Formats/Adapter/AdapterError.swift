/// Why an adapter directory cannot be used, found before any weight is touched.
package enum AdapterError: DescribedError, Equatable {
  case noConfig(directory: String)
  case noWeights(directory: String, name: String)
  /// `adapter_model.bin`: a pickle, which is never loaded.
  case pickled(path: String)
  case badConfig(path: String, place: String, expected: String)
  /// `peft_type` names another method than LoRA.
  case otherMethod(path: String, method: String)
  /// A member of the configuration asks for a variant that is no plain update of the weights.
  case unmergeable(path: String, member: String, value: String)
  case hardPattern(path: String, pattern: String)
  case empty(path: String)
  case unknownTensor(path: String, tensor: String)
  case missingHalf(path: String, module: String, present: String, missing: String)
  case wrongShape(path: String, tensor: String, shape: [UInt64], expected: String)
  case transposed(path: String, tensor: String, shape: [UInt64], expected: [UInt64])
  case wrongRank(path: String, module: String, found: UInt64, configured: Int)
  case notFloat(path: String, tensor: String, dtype: DType)
  case notFinite(path: String, tensor: String, index: Int, value: String)

  package var message: String {
    switch self {
    case .noConfig(let directory): "\(directory) is no adapter: it has no adapter_config.json"
    case .noWeights(let directory, let name): "\(directory) has no \(name)"
    case .pickled(let path): "\(path) is a PyTorch pickle, which can run code when it is loaded"
    case .badConfig(let path, let place, let expected): "\(path): \(place) must be \(expected)"
    case .otherMethod(let path, let method):
      "\(path): peft_type is '\(method)'; decant merges LORA with its variants, and PEQA"
    case .unmergeable(let path, let member, let value):
      "\(path): '\(member)' is \(value): such an adapter cannot be merged as a low-rank update"
    case .hardPattern(let path, let pattern):
      "\(path): the pattern '\(pattern)' is no regular expression that decant takes"
    case .empty(let path): "\(path) holds no tensor"
    case .unknownTensor(let path, let tensor):
      "\(path): tensor '\(tensor)' is no part of an adapter that decant knows"
    case .missingHalf(let path, let module, let present, let missing):
      "\(path): module '\(module)' has \(present) but no \(missing)"
    case .wrongShape(let path, let tensor, let shape, let expected):
      "\(path): tensor '\(tensor)' has shape \(shape); it must be \(expected)"
    case .transposed(let path, let tensor, let shape, let expected):
      "\(path): tensor '\(tensor)' is transposed: its shape is \(shape), not \(expected)"
    case .wrongRank(let path, let module, let found, let configured):
      "\(path): module '\(module)' has rank \(found); adapter_config.json gives it \(configured)"
    case .notFloat(let path, let tensor, let dtype):
      "\(path): tensor '\(tensor)' has dtype \(dtype.rawValue), not a floating-point one"
    case .notFinite(let path, let tensor, let index, let value):
      "\(path): tensor '\(tensor)' holds \(value) at index \(index)"
    }
  }

  package var hint: String? {
    switch self {
    case .noConfig: "give the directory that PEFT's save_pretrained or mlx-lm wrote"
    case .noWeights, .missingHalf, .empty: "the adapter is incomplete; download or save it again"
    case .pickled: "save the adapter again with safe_serialization=True"
    case .unmergeable(_, "init_lora_weights", _):
      "it changed the base weights too; convert the adapter to a plain one with PEFT first"
    case .unmergeable(_, "fine_tune_type", _):
      "whole weights were trained; join them with 'mlx_lm.fuse', and convert that"
    case .unmergeable, .otherMethod: "merge it with the program that trained it"
    case .hardPattern: "write the module names out in adapter_config.json"
    case .notFinite: "the training diverged; use an earlier checkpoint of the adapter"
    case .wrongRank, .transposed, .wrongShape:
      "the configuration and the weights do not belong together, or another program wrote them"
    case .badConfig, .unknownTensor, .notFloat: nil
    }
  }
}
