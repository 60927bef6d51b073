/// The names of one tensor, or of several that differ in a number: `layers.0.experts.`, 0, 1, 2 …,
/// `.up_proj.weight`.
package struct TensorNameList: Sendable, Equatable {
  package let prefix: String
  package let suffix: String
  package let count: Int
  /// Whether the names have a number.
  package let isNumbered: Bool

  package init(_ name: String) {
    prefix = name
    suffix = ""
    count = 1
    isNumbered = false
  }

  package init(prefix: String, suffix: String, count: Int) {
    self.prefix = prefix
    self.suffix = suffix
    self.count = count
    isNumbered = true
  }

  package subscript(index: Int) -> String { isNumbered ? "\(prefix)\(index)\(suffix)" : prefix }

  /// At least, of all names together; clamped.
  package var byteCount: Int {
    let (bytes, overflow) = (prefix.utf8.count + suffix.utf8.count + 1)
      .multipliedReportingOverflow(by: count)
    return overflow ? Int.max : bytes
  }

  package var all: [String] { (0..<count).map { self[$0] } }
}
