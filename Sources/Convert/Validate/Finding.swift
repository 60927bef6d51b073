import Formats

/// One thing that is wrong with a packed file.
package struct Finding: Sendable, Equatable {
  package let file: String
  package let tensor: String?
  /// A short, stable name of the rule that does not hold: one of `PackedRule.allNames`.
  package let rule: String
  package let message: String

  init(file: String, tensor: String? = nil, rule: PackedRule, message: String) {
    self.init(file: file, tensor: tensor, ruleName: rule.rawValue, message: message)
  }

  private init(file: String, tensor: String?, ruleName: String, message: String) {
    self.file = file
    self.tensor = tensor
    rule = ruleName
    self.message = message
  }

  /// The finding that an error amounts to.
  init(_ error: any Error, file: String) {
    switch error {
    case let error as SafetensorsError:
      self.init(
        file: file, tensor: error.tensor, ruleName: error.rule.rawValue, message: error.message)
    case let error as PackedError: self.init(error)
    case let error as ManifestError:
      self.init(file: file, rule: .manifest, message: error.message)
    case let error as SourceError:
      self.init(file: file, rule: .checkpoint, message: error.message)
    case let error as any DescribedError:
      self.init(file: file, rule: .unreadable, message: error.message)
    default: self.init(file: file, rule: .unreadable, message: "\(error)")
    }
  }

  init(_ error: PackedError) {
    self.init(file: error.file, tensor: error.tensor, rule: error.rule, message: error.message)
  }
}
