/// What was asked for: `--name value` pairs and operands.
struct Options {
  let operands: [String]
  private let values: [String: String]

  /// - Parameter known: names that mean something here, without their dashes.
  init(_ arguments: [String], known: Set<String>, operandCount: Int = 0) throws {
    var operands: [String] = []
    var values: [String: String] = [:]
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      guard argument.hasPrefix("--") else {
        operands.append(argument)
        continue
      }
      let name = String(argument.dropFirst(2))
      guard known.contains(name) else { throw BenchmarkError("no option \(argument) here") }
      guard let value = rest.popFirst() else { throw BenchmarkError("\(argument) needs a value") }
      values[name] = value
    }
    guard operands.count == operandCount else {
      throw BenchmarkError("\(operandCount) operands are needed, \(operands.count) are there")
    }
    self.operands = operands
    self.values = values
  }

  subscript(name: String) -> String? { values[name] }

  func list(_ name: String) -> [String]? {
    values[name]?.split(separator: ",").map(String.init)
  }

  /// A whole number, at least 1.
  func count(_ name: String, default standard: Int) throws -> Int {
    guard let text = values[name] else { return standard }
    guard let count = Int(text), count > 0 else {
      throw BenchmarkError("--\(name) is a number from 1 on, not '\(text)'")
    }
    return count
  }
}
