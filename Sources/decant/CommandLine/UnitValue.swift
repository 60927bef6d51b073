/// A decimal number with a unit behind it, as a word of the command line: `1.5GB`, `32k`.
struct UnitValue {
  private let whole: Substring
  private let decimals: Substring
  /// As it was written; empty where there is none.
  let unit: Substring
  let hint: String

  /// - Parameter kind: what the word stands for, as errors name it: `a size`.
  init(parsing text: String, kind: String, hint: String) throws(InvalidValue) {
    let number = text.prefix { $0.isDecimalDigit || $0 == "." }
    let parts = number.split(separator: ".", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), parts.allSatisfy({ !$0.isEmpty }) else {
      throw InvalidValue(
        reason: text.hasPrefix("-") ? "less than 0" : "not \(kind)", hint: hint)
    }
    whole = parts[0]
    var decimals = parts.count == 2 ? parts[1] : ""
    while decimals.last == "0" { decimals.removeLast() }
    self.decimals = decimals
    unit = text.dropFirst(number.count).drop { $0 == " " }
    self.hint = hint
  }

  /// The number in ones. Decimals are exact.
  ///
  /// - Parameters:
  ///   - scales: how many a unit is, by its name in capitals.
  ///   - reason: why it is none where it does not come to whole ones.
  func whole(
    in scales: [String: Int], otherwise reason: String
  ) throws(InvalidValue) -> Int {
    guard let scale = scales[unit.uppercased()] else {
      throw InvalidValue(reason: "unknown unit '\(unit)'", hint: hint)
    }
    let isDivided = InvalidValue(reason: reason, hint: hint)
    let tooLarge = InvalidValue(reason: "too large", hint: hint)
    // Beyond 18 decimals no unit comes to whole ones in practice, and the sums below would not fit.
    guard decimals.count <= 18 else { throw isDivided }
    guard let whole = Int(whole) else { throw tooLarge }
    let denominator = (0..<decimals.count).reduce(Int128(1)) { power, _ in power * 10 }
    let scaledDecimals = (Int128(decimals) ?? 0) * Int128(scale)
    guard scaledDecimals % denominator == 0 else { throw isDivided }
    guard
      let total = Int(exactly: Int128(whole) * Int128(scale) + scaledDecimals / denominator)
    else { throw tooLarge }
    return total
  }
}
