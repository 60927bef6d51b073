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

// MARK: - For everything that lists options

extension OptionDescription {
  /// With their dashes, the short one first.
  var spellings: [String] { [short.map { "-\($0)" }, spelling].compactMap(\.self) }

  /// The help with the facts that the description states elsewhere.
  var meaning: String {
    var text = help + (value?.accepts.sentence ?? "")
    if let fallback = value?.fallback?.text { text += " Default: \(fallback)." }
    if isRepeatable { text += " May be given more than once." }
    if isRequired { text += " Required." }
    return text
  }
}

extension OperandDescription {
  /// The help with the facts that the description states elsewhere.
  var meaning: String { help + accepts.sentence }
}

extension ValueKind {
  /// Names the choices, after a space; empty where anything may be given.
  fileprivate var sentence: String {
    guard case .choices(let choices) = self else { return "" }
    return " One of \(alternatives(choices))."
  }
}
