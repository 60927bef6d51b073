/// A strict pull reader of JSON (RFC 8259) over bytes that are already known to be UTF-8.
///
/// It hands out one token at a time, with its place, so that a caller can check a document against
/// its own rules without building it first. Strings are decoded; numbers keep their spelling.
package struct JSONScanner {
  /// How deep arrays and objects may nest; the limit of the reference safetensors library.
  package static let depthLimit = 127

  let bytes: [UInt8]
  package internal(set) var offset = 0
  /// Whether `Infinity`, `-Infinity` and `NaN` are numbers, as Python writes and reads them.
  var takesNonFinite = false

  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The next byte that is not white space, without stepping over it.
  package mutating func peek() throws(JSONError) -> UInt8 {
    skipWhiteSpace()
    guard offset < bytes.count else { throw JSONError(.endsEarly, at: offset) }
    return bytes[offset]
  }

  /// Steps over `byte`, which must come next after white space.
  package mutating func take(_ byte: UInt8, expected: String) throws(JSONError) {
    let next = try peek()
    guard next == byte else {
      throw JSONError(.unexpectedByte(next, expected: expected), at: offset)
    }
    offset += 1
  }

  /// Steps over `byte` if it comes next.
  package mutating func takeIfPresent(_ byte: UInt8) throws(JSONError) -> Bool {
    guard try peek() == byte else { return false }
    offset += 1
    return true
  }

  /// After the last value: only white space may be left.
  package mutating func finish() throws(JSONError) {
    skipWhiteSpace()
    guard offset == bytes.count else { throw JSONError(.trailingBytes, at: offset) }
  }

  private mutating func skipWhiteSpace() {
    while offset < bytes.count {
      switch bytes[offset] {
      case 0x20, 0x09, 0x0A, 0x0D: offset += 1
      default: return
      }
    }
  }

  /// Reads an object: for each member, its decoded name, then `value` must consume its value.
  ///
  /// - Throws: `JSONError`, and what `value` throws.
  package mutating func object(_ value: (inout JSONScanner, String) throws -> Void) throws {
    try take(UInt8(ascii: "{"), expected: "an object")
    if try takeIfPresent(UInt8(ascii: "}")) { return }
    var names = ExactNames()
    repeat {
      _ = try peek()
      let start = offset
      let name = try string()
      guard names.insert(name) else {
        throw JSONError(.repeatedName(name), at: start)
      }
      try take(UInt8(ascii: ":"), expected: "':'")
      try value(&self, name)
    } while try takeSeparator(closing: UInt8(ascii: "}"), expected: "',' or '}'")
  }

  /// Reads an object in which names may repeat. The decoded bytes of each name are appended to `buffer`;
  /// `value` is told where they are there, and must consume the member's value.
  ///
  /// - Throws: `JSONError`, and what `value` throws.
  package mutating func members(
    namesInto buffer: inout [UInt8], _ value: (inout JSONScanner, Range<Int>) throws -> Void
  ) throws {
    try take(UInt8(ascii: "{"), expected: "an object")
    if try takeIfPresent(UInt8(ascii: "}")) { return }
    repeat {
      let start = buffer.count
      try string(appendedTo: &buffer)
      try take(UInt8(ascii: ":"), expected: "':'")
      try value(&self, start..<buffer.count)
    } while try takeSeparator(closing: UInt8(ascii: "}"), expected: "',' or '}'")
  }

  /// Reads an array: `element` must consume each element.
  ///
  /// - Throws: `JSONError`, and what `element` throws.
  package mutating func array(_ element: (inout JSONScanner) throws -> Void) throws {
    try take(UInt8(ascii: "["), expected: "an array")
    if try takeIfPresent(UInt8(ascii: "]")) { return }
    repeat {
      try element(&self)
    } while try takeSeparator(
      closing: UInt8(ascii: "]"), expected: "',' or ']'")
  }

  /// True after a comma, false after the closing byte.
  private mutating func takeSeparator(
    closing: UInt8, expected: String
  ) throws(JSONError) -> Bool {
    let next = try peek()
    guard next == UInt8(ascii: ",") || next == closing else {
      throw JSONError(.unexpectedByte(next, expected: expected), at: offset)
    }
    offset += 1
    return next != closing
  }
}

/// The names of one object so far, told apart as bytes: Swift strings equate canonically equivalent
/// spellings, JSON does not.
private struct ExactNames {
  /// The first few, which in most objects are all, are compared one by one.
  private var few: [String] = []
  private var many: Set<String> = []
  /// Those that equal one of `many` in another spelling.
  private var respelled: Set<[UInt8]> = []

  private static let fewCount = 8

  /// False for a name that is there already.
  mutating func insert(_ name: String) -> Bool {
    for known in few where known == name {
      if known.utf8.elementsEqual(name.utf8) { return false }
    }
    guard few.count == Self.fewCount else {
      few.append(name)
      return true
    }
    let (inserted, known) = many.insert(name)
    if inserted { return true }
    return !known.utf8.elementsEqual(name.utf8) && respelled.insert(Array(name.utf8)).inserted
  }
}
