import Foundation

/// A number of bytes, at least 1 when read from a command line.
struct ByteSize: Sendable, Equatable {
  var bytes: Int

  init(bytes: Int) {
    precondition(bytes >= 0)
    self.bytes = bytes
  }
}

// MARK: - Reading

extension ByteSize {
  /// Reads `5GB` or `5G` (decimal), `512MiB` (binary), `1.5GB`; the unit's case does not count, and there is
  /// always one. Decimals are exact and must come to whole bytes.
  init(parsing text: String) throws(InvalidValue) {
    let units = """
      B, KB, MB, GB, TB (powers of 1,000; K, M, G, T for short) or KiB, MiB, GiB, TiB (powers of 1,024)
      """
    let value = try UnitValue(
      parsing: text, kind: "a size",
      hint: "write a size like '5GB', '1.5G' or '512MiB'; units are \(units)")
    guard !value.unit.isEmpty else {
      throw InvalidValue(
        reason: "it has no unit", hint: "write '\(text)GB', or another unit: \(units)")
    }
    let bytes = try value.whole(in: Self.units, otherwise: "not whole bytes")
    guard bytes > 0 else { throw InvalidValue(reason: "no bytes at all", hint: value.hint) }
    self.init(bytes: bytes)
  }

  /// Bytes per unit, by the unit's name in capitals.
  private static let units: [String: Int] = [
    "B": 1,
    "K": 1_000, "M": 1_000_000, "G": 1_000_000_000, "T": 1_000_000_000_000,
    "KB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000, "TB": 1_000_000_000_000,
    "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30, "TIB": 1 << 40,
  ]
}

// MARK: - Writing

extension ByteSize {
  /// For people: three significant digits and a decimal unit, as in `1.23 GB`; below 1000, `512 B`.
  var text: String {
    guard bytes >= 1000 else { return "\(bytes) B" }
    var value = Double(bytes)
    var unit = "B"
    for larger in ["KB", "MB", "GB", "TB", "PB", "EB"] {
      // 999.5 would be shown as 1000.
      guard value >= 999.5 else { break }
      value /= 1000
      unit = larger
    }
    let decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0
    return String(format: "%.\(decimals)f \(unit)", value)
  }

  /// Every digit, in groups of three: `1,234,567 bytes`.
  var exactText: String {
    let digits = String(bytes)
    var grouped = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { grouped.append(",") }
      grouped.append(digit)
    }
    return bytes == 1 ? "1 byte" : grouped + " bytes"
  }
}
