/// What is wrong with a JSON text, and where. Offsets count bytes from the start of the text.
package struct JSONError: Error, Equatable, Sendable {
  package enum Fault: Equatable, Sendable {
    case endsEarly
    case unexpectedByte(UInt8, expected: String)
    case badNumber
    case controlCharacter(UInt8)
    case badEscape
    case loneSurrogate
    case tooDeep(limit: Int)
    case repeatedName(String)
    case trailingBytes
  }

  package let fault: Fault
  package let offset: Int

  package init(_ fault: Fault, at offset: Int) {
    self.fault = fault
    self.offset = offset
  }

  /// The fault in words, without the place.
  package var reason: String {
    switch fault {
    case .endsEarly: "the JSON ends early"
    case .unexpectedByte(let byte, let expected): "expected \(expected), found \(quoted(byte))"
    case .badNumber: "not a JSON number"
    case .controlCharacter(let byte): "raw control character \(quoted(byte)) inside a string"
    case .badEscape: "unknown or broken escape in a string"
    case .loneSurrogate: "escape of half a surrogate pair in a string"
    case .tooDeep(let limit): "nested deeper than \(limit) levels"
    case .repeatedName(let name): "name '\(name)' given twice in one object"
    case .trailingBytes: "something other than white space follows the JSON value"
    }
  }

  private func quoted(_ byte: UInt8) -> String {
    (0x21...0x7e).contains(byte)
      ? "'\(Character(Unicode.Scalar(byte)))'" : "byte 0x" + String(byte, radix: 16)
  }
}
