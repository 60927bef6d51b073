/// Arithmetic on sizes that a file or a person claims, which may be missing or absurd.
package enum Checked {
  /// Nil where a factor is missing or negative, or the product does not fit.
  package static func product(_ a: Int?, _ b: Int?) -> Int? {
    guard let a, let b, a >= 0, b >= 0 else { return nil }
    let (value, overflow) = a.multipliedReportingOverflow(by: b)
    return overflow ? nil : value
  }

  /// Nil where a term is missing or negative, or the sum does not fit.
  package static func sum(_ a: Int?, _ b: Int?) -> Int? {
    guard let a, let b, a >= 0, b >= 0 else { return nil }
    let (value, overflow) = a.addingReportingOverflow(b)
    return overflow ? nil : value
  }
}
