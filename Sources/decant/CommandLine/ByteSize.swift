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
  /// Reads `1000`, `5GB` (decimal), `512MiB` (binary), `1.5GB`; the unit's case does not count.
  /// Decimals are exact and must come to whole bytes.
  init(parsing text: String) throws(InvalidValue) {
    let hint = "write a size like '5GB', '1.5GB', '512MiB' or '1000000' (bytes)"
    let number = text.prefix { $0.isDecimalDigit || $0 == "." }
    let unit = text.dropFirst(number.count).drop { $0 == " " }
    let parts = number.split(separator: ".", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), parts.allSatisfy({ !$0.isEmpty }) else {
      throw InvalidValue(reason: text.hasPrefix("-") ? "less than 0" : "not a size", hint: hint)
    }
    guard let scale = Self.units[unit.uppercased()] else {
      throw InvalidValue(reason: "unknown unit '\(unit)'", hint: hint)
    }
    let decimals = parts.count == 2 ? parts[1].trimmingSuffix(while: { $0 == "0" }) : ""
    // Beyond 18 decimals no unit comes to whole bytes in practice, and the sums below would not fit.
    guard decimals.count <= 18 else { throw InvalidValue(reason: "not whole bytes", hint: hint) }
    let tooLarge = InvalidValue(reason: "too large", hint: hint)
    guard let whole = Int(parts[0]) else { throw tooLarge }

    let denominator = (0..<decimals.count).reduce(Int128(1)) { power, _ in power * 10 }
    let scaledDecimals = (Int128(decimals) ?? 0) * Int128(scale)
    guard scaledDecimals % denominator == 0 else {
      throw InvalidValue(reason: "not whole bytes", hint: hint)
    }
    let total = Int128(whole) * Int128(scale) + scaledDecimals / denominator
    guard let bytes = Int(exactly: total) else { throw tooLarge }
    guard bytes > 0 else { throw InvalidValue(reason: "no bytes at all", hint: hint) }
    self.init(bytes: bytes)
  }

  /// Bytes per unit, by the unit's name in capitals.
  private static let units: [String: Int] = [
    "": 1, "B": 1,
    "KB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000, "TB": 1_000_000_000_000,
    "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30, "TIB": 1 << 40,
  ]
}

extension Substring {
  fileprivate func trimmingSuffix(while predicate: (Character) -> Bool) -> Substring {
    var text = self
    while let last = text.last, predicate(last) { text.removeLast() }
    return text
  }
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
