import Foundation

/// A number of bytes as people write it.
struct ByteCount {
  let bytes: Int

  private static let units: [(name: String, bytes: Double)] = [
    ("GIB", 0x1p30), ("MIB", 0x1p20), ("GB", 1e9), ("MB", 1e6), ("KB", 1e3), ("B", 1),
  ]

  init(bytes: Int) { self.bytes = bytes }

  /// Reads `250MB`, `1.5GB`, `512MiB`.
  init(parsing text: String) throws {
    let upper = text.uppercased()
    guard let unit = Self.units.first(where: { upper.hasSuffix($0.name) }),
      let number = Double(upper.dropLast(unit.name.count)), number > 0, number * unit.bytes < 0x1p50
    else { throw BenchmarkError("'\(text)' is no size; write one like 250MB or 1.5GB") }
    bytes = Int(number * unit.bytes)
  }

  var text: String {
    bytes < 999_500_000
      ? String(format: "%.0f MB", Double(bytes) / 1e6)
      : String(format: "%.2f GB", Double(bytes) / 1e9)
  }
}
