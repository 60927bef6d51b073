import Formats

/// Why a configuration does not describe a decoder that can be run.
package enum ArchitectureError: DescribedError, Equatable {
  case noConfiguration
  case noModelType
  case unknownModelType(String)
  case missingKey(String, modelType: String)
  /// A key that may change what the model computes, and of which nothing is known here.
  case unknownKey(String, value: String, modelType: String)
  case badValue(key: String, value: String, expected: String)

  package var message: String {
    switch self {
    case .noConfiguration: "there is no config.json, which says what the model computes"
    case .noModelType: "config.json has no model_type"
    case .unknownModelType(let name): "model_type '\(name)' is none that can be run"
    case .missingKey(let key, let modelType):
      "config.json has no '\(key)', which '\(modelType)' needs"
    case .unknownKey(let key, let value, let modelType):
      "config.json has '\(key)': \(value), of which is not known what it means for '\(modelType)'"
    case .badValue(let key, let value, let expected):
      "config.json has '\(key)': \(value), which should be \(expected)"
    }
  }

  package var hint: String? {
    switch self {
    case .unknownModelType:
      "known are \(ArchitectureFamily.all.map(\.modelType).sorted().joined(separator: ", "))"
    case .unknownKey:
      "if it changes nothing that the model computes, take it out of a copy of config.json"
    case .noConfiguration, .noModelType, .missingKey, .badValue: nil
    }
  }
}
