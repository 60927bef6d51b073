/// A word of the command line that is neither an option nor an option's value.
struct OperandDescription: Sendable {
  /// In capitals, as usage lines show it.
  let name: String
  let help: String
  var accepts: ValueKind = .text
  var isRequired = true
  /// Whether it takes every word that is left. Only the last operand may.
  var isRepeatable = false
}
