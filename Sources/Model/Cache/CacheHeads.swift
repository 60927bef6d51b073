import Formats

/// Number and widths of key/value heads: as configured, or corrected by what projections show.
struct CacheHeads {
  private(set) var count: Int?
  /// Elements of a key.
  private(set) var key: Int?
  /// Elements of a value.
  private(set) var value: Int?

  init(_ config: ModelConfig) {
    count = config.keyValueHeadCount
    key = config.headDimension
    value = config.valueHeadDimension
  }

  /// Whether nothing that both know differs.
  func agrees(with other: CacheHeads) -> Bool {
    func same(_ a: Int?, _ b: Int?) -> Bool { a == nil || b == nil || a == b }
    return same(count, other.count) && same(key, other.key) && same(value, other.value)
  }

  /// Takes over what the projections show. The configured width of a head is believed as long as it
  /// divides the outputs, then the configured number of heads; a projection that neither divides
  /// counts as one head.
  mutating func believe(_ projections: CacheGeometry.Projections, queryHeads: Int?) {
    if let fused = projections.fused, let heads = queryHeads, let key, let value,
      let fusedCount = Self.keyHeads(fused: fused, queryHeads: heads, key: key, value: value)
    {
      count = fusedCount
    }
    if let rows = projections.key {
      if let key, rows % key == 0 {
        count = rows / key
      } else if let count, rows % count == 0 {
        key = rows / count
      } else {
        (count, key) = (1, rows)
      }
      value = value ?? key
    }
    if let rows = projections.value {
      if projections.key == nil, let value, rows % value == 0 { count = rows / value }
      // A short last head is rounded up: never too little.
      if let count { value = (rows - 1) / count + 1 }
    }
  }

  /// Solves `rows = queryHeads * key + count * (key + value)`; nil where no number of heads does.
  private static func keyHeads(fused rows: Int, queryHeads: Int, key: Int, value: Int) -> Int? {
    // Configured numbers are at most 2^40: their sum fits.
    guard let queryRows = Checked.product(queryHeads, key), queryRows < rows,
      (rows - queryRows) % (key + value) == 0
    else { return nil }
    return (rows - queryRows) / (key + value)
  }

  /// Whether these heads have exactly the outputs that the projections have.
  func explains(_ projections: CacheGeometry.Projections, _ queryHeads: Int?) -> Bool {
    guard let count, let key, let value else { return true }
    if let rows = projections.key, Checked.product(count, key) != rows { return false }
    if let rows = projections.value, Checked.product(count, value) != rows { return false }
    if let rows = projections.fused, let queryHeads {
      return Self.keyHeads(fused: rows, queryHeads: queryHeads, key: key, value: value) == count
    }
    return true
  }

  /// What the projections show, for a report.
  func shown(_ projections: CacheGeometry.Projections, _ queryHeads: Int?) -> String {
    if let fused = projections.fused, !explains(projections, queryHeads) {
      return "\(fused) fused outputs, which no number of heads explains"
    }
    let rows = [
      projections.key.map { "\($0) key outputs" }, projections.value.map { "\($0) value outputs" },
      projections.fused.map { "\($0) fused outputs" },
    ].compactMap(\.self).joined(separator: ", ")
    return "\(description) in \(rows)"
  }
}

extension CacheHeads: CustomStringConvertible {
  /// `8 key/value heads of 128`, or `of 192 and 128` where keys and values differ.
  var description: String {
    func text(_ number: Int?) -> String { number.map(String.init) ?? "an unknown number" }
    let widths = key == value ? text(key) : "\(text(key)) and \(text(value))"
    return "\(text(count)) key/value heads of \(widths)"
  }
}
