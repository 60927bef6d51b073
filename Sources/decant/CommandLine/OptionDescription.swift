/// One option. A flag has no `value`.
struct OptionDescription: Sendable {
  /// Without the dashes.
  let long: String
  var short: Character? = nil
  var value: Value? = nil
  /// Sentences without the choices and the default: help adds those.
  let help: String
  var isRequired = false
  var isRepeatable = false

  struct Value: Sendable {
    /// In capitals, as help shows it.
    let name: String
    var accepts: ValueKind = .text
    var fallback: Fallback? = nil

    init(_ name: String, _ accepts: ValueKind = .text, default fallback: Fallback? = nil) {
      self.name = name
      self.accepts = accepts
      self.fallback = fallback
    }
  }

  /// What holds where the option is absent.
  enum Fallback: Sendable {
    /// As if this had been given.
    case value(String)
    /// The command decides; help shows this description.
    case described(String)

    var text: String {
      switch self {
      case .value(let text), .described(let text): text
      }
    }
  }

  var isFlag: Bool { value == nil }

  /// As messages name it: `--group-size`.
  var spelling: String { "--\(long)" }

  /// The first sentence of the help, without its full stop; a completion menu has room for that.
  var brief: String {
    let sentence = help.firstRange(of: ". ").map { help[..<$0.lowerBound] } ?? help[...]
    return String(sentence.hasSuffix(".") ? sentence.dropLast() : sentence)
  }
}
