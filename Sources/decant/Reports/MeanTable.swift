import Forward
import Foundation

/// Lines of names and means with their errors, below each other.
struct MeanTable {
  private let terminal: Terminal
  private var table = TextTable([.init(""), .init("", .right), .init("")])

  init(_ terminal: Terminal) { self.terminal = terminal }

  /// An error that is not known, of a single value, is left out.
  mutating func append(_ name: String, _ value: MeanWithError, digits: Int) {
    let error = value.standardError
    let sign = terminal.isUnicode ? "±" : "+-"
    table.append([
      name, Self.decimal(value.mean, digits),
      error.isNaN ? "" : "\(sign) " + Self.decimal(error, digits),
    ])
  }

  mutating func append(_ name: String, _ value: Double, digits: Int) {
    table.append([name, Self.decimal(value, digits), ""])
  }

  private static func decimal(_ value: Double, _ digits: Int) -> String {
    String(format: "%.\(digits)f", value)
  }

  /// Without the line of titles, which are empty.
  var text: String {
    table.text(style: terminal.style).split(separator: "\n", omittingEmptySubsequences: false)
      .dropFirst().joined(separator: "\n")
  }
}
