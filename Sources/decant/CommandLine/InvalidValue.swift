/// Why a word is not the number, size or percentage it should be. Whoever knows the option adds
/// its name and the word.
struct InvalidValue: Error, Equatable {
  let reason: String
  let hint: String?
}

/// A whole decimal number within `range`: digits only.
func integer(parsing text: String, in range: ClosedRange<Int>) throws(InvalidValue) -> Int {
  let bounds =
    range.upperBound == .max
    ? "a whole number, \(range.lowerBound) or more"
    : "a whole number from \(range.lowerBound) to \(range.upperBound)"
  guard text.allSatisfy(\.isDecimalDigit), !text.isEmpty else {
    throw InvalidValue(reason: "not a whole number", hint: "give \(bounds)")
  }
  guard let number = Int(text), range.contains(number) else {
    throw InvalidValue(reason: "out of range", hint: "give \(bounds)")
  }
  return number
}

/// A number of tokens or weights within `range`: `4096`, or with k for 1,024 and M for 1,048,576, as contexts
/// are named: a model "with 32k" takes 32,768 tokens. The case does not count.
func count(parsing text: String, in range: ClosedRange<Int>) throws(InvalidValue) -> Int {
  let bounds =
    range.upperBound == .max
    ? "\(range.lowerBound) or more" : "from \(range.lowerBound) to \(range.upperBound)"
  let hint = "give a whole number, \(bounds), as in '4096' or '32k' (k is 1,024)"
  let value = try UnitValue(parsing: text, kind: "a whole number", hint: hint)
  let number = try value.whole(
    in: ["": 1, "K": 1 << 10, "M": 1 << 20], otherwise: "not a whole number")
  guard range.contains(number) else { throw InvalidValue(reason: "out of range", hint: hint) }
  return number
}

/// A positive decimal number, with an exponent where it is small: `0.02`, `2e-2`.
///
/// - Parameter hint: what to give instead of what is none.
func decimal(
  parsing text: String, hint: String = "give a positive number, as in '6', '2.5' or '1e-3'"
) throws(InvalidValue) -> Double {
  guard text.first?.isDecimalDigit == true, text.last?.isDecimalDigit == true,
    text.allSatisfy({ $0.isDecimalDigit || ".eE+-".contains($0) }), let number = Double(text)
  else { throw InvalidValue(reason: "not a number", hint: hint) }
  guard number > 0, number.isFinite else { throw InvalidValue(reason: "out of range", hint: hint) }
  return number
}

/// A positive number of decibels, with or without the unit: `25`, `25dB`.
func decibels(parsing text: String) throws(InvalidValue) -> Double {
  var number = text.lowercased().hasSuffix("db") ? text.dropLast(2) : text[...]
  if number.last == " " { number.removeLast() }
  return try decimal(
    parsing: String(number),
    hint: "give an SQNR above 0 dB, as in '25' or '25dB'; 6 dB are about one bit")
}

/// A percentage, 0...100, with or without its sign.
///
/// Between 0 and 1 the sign is required: `0.95` is as likely meant as a fraction.
func percentage(parsing text: String) throws(InvalidValue) -> Double {
  let hint = "give a percentage from 0 to 100, as in '95%' or '99.5%'"
  let digits = text.hasSuffix("%") ? text.dropLast() : text[...]
  guard digits.first?.isDecimalDigit == true, digits.last?.isDecimalDigit == true,
    digits.allSatisfy({ $0.isDecimalDigit || $0 == "." }), let number = Double(digits)
  else { throw InvalidValue(reason: "not a percentage", hint: hint) }
  guard number <= 100 else { throw InvalidValue(reason: "more than 100%", hint: hint) }
  guard text.hasSuffix("%") || number == 0 || number >= 1 else {
    throw InvalidValue(
      reason: "it could be a percentage or a fraction", hint: "write '\(text)%' if you mean that")
  }
  return number
}

extension Character {
  /// One of 0 to 9; other scripts' digits are not.
  var isDecimalDigit: Bool { ("0"..."9").contains(self) && isASCII }
}
