extension JSONValue {
  /// Parses a whole document.
  ///
  /// - Parameters:
  ///   - bytes: UTF-8; a leading byte order mark is not JSON and is refused.
  ///   - allowingNonFinite: whether `Infinity` and `NaN` are taken for numbers, which JSON does not have.
  /// - Throws: `JSONError` only.
  package init(parsing bytes: [UInt8], allowingNonFinite: Bool = false) throws {
    var scanner = try JSONScanner(checking: bytes)
    scanner.takesNonFinite = allowingNonFinite
    self = try scanner.value()
    try scanner.finish()
  }

  /// The document without any white space.
  package var compactText: String {
    var text = ""
    write(to: &text, indent: nil, level: 0)
    return text
  }

  /// The document with one member or element to a line, indented by two spaces a level.
  package var prettyText: String {
    var text = ""
    write(to: &text, indent: "  ", level: 0)
    return text + "\n"
  }

  private func write(to text: inout String, indent: String?, level: Int) {
    switch self {
    case .null: text += "null"
    case .bool(let flag): text += flag ? "true" : "false"
    case .number(let spelling): text += spelling
    case .string(let value): Self.writeString(value, to: &text)
    case .array(let elements):
      writeList(
        elements.map { (nil, $0) }, brackets: ("[", "]"), to: &text, indent: indent, level: level)
    case .object(let members):
      writeList(
        members.map { ($0.name, $0.value) }, brackets: ("{", "}"), to: &text, indent: indent,
        level: level)
    }
  }

  private func writeList(
    _ items: [(name: String?, value: JSONValue)], brackets: (open: String, close: String),
    to text: inout String, indent: String?, level: Int
  ) {
    text += brackets.open
    // Lists of numbers (shapes, offsets) read better on one line.
    let broken = items.contains { $0.name != nil || !$0.value.isNumber } ? indent : nil
    for (position, item) in items.enumerated() {
      if position > 0 { text += broken == nil && indent != nil ? ", " : "," }
      if let broken { text += "\n" + String(repeating: broken, count: level + 1) }
      if let name = item.name {
        Self.writeString(name, to: &text)
        text += indent == nil ? ":" : ": "
      }
      item.value.write(to: &text, indent: indent, level: level + 1)
    }
    if let broken, !items.isEmpty { text += "\n" + String(repeating: broken, count: level) }
    text += brackets.close
  }

  private var isNumber: Bool { if case .number = self { true } else { false } }

  /// Appends `value` as a JSON string: quotes, backslashes and control characters escaped,
  /// everything else as it is.
  package static func writeString(_ value: String, to text: inout String) {
    text += "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case "\u{0}"..<"\u{20}":
        let hex = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}

extension JSONScanner {
  /// - Throws: `JSONError` where the bytes are not UTF-8.
  package init(checking bytes: [UInt8]) throws(JSONError) {
    if let offset = UTF8.firstInvalidOffset(in: bytes) {
      throw JSONError(.unexpectedByte(bytes[offset], expected: "UTF-8"), at: offset)
    }
    self.init(bytes)
  }

  /// Parses a whole document member after member; one that is no object has none.
  ///
  /// - Throws: `JSONError`, and what `value` throws, which must consume the member's value.
  package static func object(
    parsing bytes: [UInt8], _ value: (inout JSONScanner, String) throws -> Void
  ) throws {
    var scanner = try JSONScanner(checking: bytes)
    if try scanner.peek() == UInt8(ascii: "{") {
      try scanner.object(value)
    } else {
      try scanner.skipValue()
    }
    try scanner.finish()
  }
}

extension UTF8 {
  /// Offset of the first character that is not valid UTF-8, or nil where all are.
  static func firstInvalidOffset(in bytes: [UInt8]) -> Int? {
    guard String(validating: bytes, as: UTF8.self) == nil else { return nil }
    var decoder = UTF8()
    var iterator = bytes.makeIterator()
    var offset = 0
    while case .scalarValue(let scalar) = decoder.decode(&iterator) {
      offset += UTF8.width(scalar)
    }
    return offset
  }
}

/// Where a value is printed, as in the name of a test's case, it is its own text.
extension JSONValue: CustomStringConvertible {
  package var description: String { compactText }
}
