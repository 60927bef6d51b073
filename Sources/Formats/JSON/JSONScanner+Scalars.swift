extension JSONScanner {
  /// Reads a string and decodes its escapes.
  package mutating func string() throws(JSONError) -> String {
    try take(UInt8(ascii: "\""), expected: "a string")
    let start = offset
    // Most strings have no escape: find the end first, and copy once.
    skipPlain()
    guard offset < bytes.count else { throw JSONError(.endsEarly, at: offset) }
    if bytes[offset] == UInt8(ascii: "\"") {
      defer { offset += 1 }
      return String(decoding: bytes[start..<offset], as: UTF8.self)
    }
    var decoded = Array(bytes[start..<offset])
    try finishString(&decoded)
    return String(decoding: decoded, as: UTF8.self)
  }

  /// Reads a string and appends its decoded bytes: for many strings that are kept side by side.
  package mutating func string(appendedTo buffer: inout [UInt8]) throws(JSONError) {
    try take(UInt8(ascii: "\""), expected: "a string")
    let start = offset
    skipPlain()
    buffer.append(contentsOf: bytes[start..<offset])
    try finishString(&buffer)
  }

  /// Steps over what stands for itself in a string.
  private mutating func skipPlain() {
    while offset < bytes.count, bytes[offset] >= 0x20, bytes[offset] != UInt8(ascii: "\""),
      bytes[offset] != UInt8(ascii: "\\")
    {
      offset += 1
    }
  }

  /// Appends the rest of a string to `decoded`, and steps over the quotation mark.
  private mutating func finishString(_ decoded: inout [UInt8]) throws(JSONError) {
    while offset < bytes.count {
      let byte = bytes[offset]
      switch byte {
      case UInt8(ascii: "\""):
        offset += 1
        return
      case UInt8(ascii: "\\"):
        try appendEscape(to: &decoded)
      case 0..<0x20:
        throw JSONError(.controlCharacter(byte), at: offset)
      default:
        decoded.append(byte)
        offset += 1
      }
    }
    throw JSONError(.endsEarly, at: offset)
  }

  private mutating func appendEscape(to decoded: inout [UInt8]) throws(JSONError) {
    let start = offset
    guard offset + 1 < bytes.count else { throw JSONError(.endsEarly, at: bytes.count) }
    offset += 2
    switch bytes[start + 1] {
    case UInt8(ascii: "\""): decoded.append(UInt8(ascii: "\""))
    case UInt8(ascii: "\\"): decoded.append(UInt8(ascii: "\\"))
    case UInt8(ascii: "/"): decoded.append(UInt8(ascii: "/"))
    case UInt8(ascii: "b"): decoded.append(0x08)
    case UInt8(ascii: "f"): decoded.append(0x0C)
    case UInt8(ascii: "n"): decoded.append(0x0A)
    case UInt8(ascii: "r"): decoded.append(0x0D)
    case UInt8(ascii: "t"): decoded.append(0x09)
    case UInt8(ascii: "u"):
      let first = try hexDigits(escapeAt: start)
      var code = first
      if (0xDC00...0xDFFF).contains(first) { throw JSONError(.loneSurrogate, at: start) }
      if (0xD800...0xDBFF).contains(first) {
        guard offset + 1 < bytes.count, bytes[offset] == UInt8(ascii: "\\"),
          bytes[offset + 1] == UInt8(ascii: "u")
        else { throw JSONError(.loneSurrogate, at: start) }
        offset += 2
        let second = try hexDigits(escapeAt: start)
        guard (0xDC00...0xDFFF).contains(second) else { throw JSONError(.loneSurrogate, at: start) }
        code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(code) else { throw JSONError(.badEscape, at: start) }
      decoded.append(contentsOf: UTF8.encode(scalar)!)
    default: throw JSONError(.badEscape, at: start)
    }
  }

  /// Reads the four hexadecimal digits of a `\u` escape.
  private mutating func hexDigits(escapeAt start: Int) throws(JSONError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard offset < bytes.count else { throw JSONError(.endsEarly, at: offset) }
      guard let digit = Character(Unicode.Scalar(bytes[offset])).hexDigitValue else {
        throw JSONError(.badEscape, at: start)
      }
      value = value << 4 | UInt32(digit)
      offset += 1
    }
    return value
  }

  /// Reads a number and returns its spelling, checked against the grammar of RFC 8259, section 6.
  package mutating func number() throws(JSONError) -> String {
    _ = try peek()
    let start = offset
    _ = skip(UInt8(ascii: "-"))
    if !skip(UInt8(ascii: "0")) {
      guard skipDigits() else { throw JSONError(.badNumber, at: start) }
    }
    if offset < bytes.count, isDigit(bytes[offset]) { throw JSONError(.badNumber, at: start) }
    if skip(UInt8(ascii: ".")) {
      guard skipDigits() else { throw JSONError(.badNumber, at: start) }
    }
    if skip(UInt8(ascii: "e")) || skip(UInt8(ascii: "E")) {
      if !skip(UInt8(ascii: "+")) { _ = skip(UInt8(ascii: "-")) }
      guard skipDigits() else { throw JSONError(.badNumber, at: start) }
    }
    return String(decoding: bytes[start..<offset], as: UTF8.self)
  }

  private mutating func skip(_ byte: UInt8) -> Bool {
    guard offset < bytes.count, bytes[offset] == byte else { return false }
    offset += 1
    return true
  }

  /// Steps over digits; false if there are none.
  private mutating func skipDigits() -> Bool {
    let start = offset
    while offset < bytes.count, isDigit(bytes[offset]) { offset += 1 }
    return offset > start
  }

  private func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  /// Steps over one of `true`, `false`, `null`.
  package mutating func literal(_ word: StaticString) throws(JSONError) {
    let next = try peek()
    let start = offset
    for expected in "\(word)".utf8 {
      guard offset < bytes.count else { throw JSONError(.endsEarly, at: offset) }
      guard bytes[offset] == expected else {
        throw JSONError(.unexpectedByte(next, expected: "a JSON value"), at: start)
      }
      offset += 1
    }
  }

  /// Steps over any value, which must be well formed, and keeps nothing of it.
  ///
  /// - Throws: `JSONError` only.
  package mutating func skipValue(depth: Int = 0) throws {
    switch try peek() {
    case UInt8(ascii: "{"):
      try checkDepth(depth)
      try object { scanner, _ in try scanner.skipValue(depth: depth + 1) }
    case UInt8(ascii: "["):
      try checkDepth(depth)
      try array { scanner in try scanner.skipValue(depth: depth + 1) }
    case UInt8(ascii: "\""):
      try take(UInt8(ascii: "\""), expected: "a string")
      skipPlain()
      var rest: [UInt8] = []
      try finishString(&rest)
    default: _ = try value(depth: depth)
    }
  }

  private func checkDepth(_ depth: Int) throws(JSONError) {
    guard depth < Self.depthLimit else {
      throw JSONError(.tooDeep(limit: Self.depthLimit), at: offset)
    }
  }

  /// Bytes of the document as text.
  func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

  /// Reads any value. `depth` counts the arrays and objects already open around it.
  ///
  /// - Throws: `JSONError` only.
  package mutating func value(depth: Int = 0) throws -> JSONValue {
    switch try peek() {
    case UInt8(ascii: "{"):
      try checkDepth(depth)
      var members: [JSONValue.Member] = []
      try object { scanner, name in
        members.append(.init(name, try scanner.value(depth: depth + 1)))
      }
      return .object(members)
    case UInt8(ascii: "["):
      try checkDepth(depth)
      var elements: [JSONValue] = []
      try array { scanner in
        elements.append(try scanner.value(depth: depth + 1))
      }
      return .array(elements)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"):
      try literal("true")
      return true
    case UInt8(ascii: "f"):
      try literal("false")
      return false
    case UInt8(ascii: "n"):
      try literal("null")
      return .null
    case UInt8(ascii: "I") where takesNonFinite:
      try literal("Infinity")
      return .number("Infinity")
    case UInt8(ascii: "N") where takesNonFinite:
      try literal("NaN")
      return .number("NaN")
    case UInt8(ascii: "-")
    where takesNonFinite && bytes.dropFirst(offset + 1).first == UInt8(ascii: "I"):
      try literal("-Infinity")
      return .number("-Infinity")
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
    case let byte:
      throw JSONError(.unexpectedByte(byte, expected: "a JSON value"), at: offset)
    }
  }
}
