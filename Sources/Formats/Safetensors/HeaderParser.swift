/// Reads the JSON of a safetensors header into records, checking the form of each as it comes.
/// Sizes and tiling are the header's own business, once all records are known.
struct HeaderParser {
  struct Record {
    let name: String
    let dtype: DType
    let shape: [UInt64]
    let begin: UInt64
    let end: UInt64
  }

  private(set) var records: [Record] = []
  private(set) var metadata: [(name: String, value: String)] = []
  private let text: [UInt8]

  /// Byte position in the file of the first byte of the text.
  private static let textPosition = 8

  init(text: [UInt8]) { self.text = text }

  mutating func parse() throws(SafetensorsError.Violation) {
    if let offset = UTF8.firstInvalidOffset(in: text) {
      throw .headerNotUTF8(position: Self.textPosition + offset)
    }
    guard text.first == UInt8(ascii: "{") else {
      guard let first = text.first else {
        throw .headerNotJSON(JSONError(.endsEarly, at: 0), position: Self.textPosition)
      }
      throw .headerStart(byte: first)
    }
    var scanner = JSONScanner(text)
    do {
      try scanner.object { scanner, name in
        if name == "__metadata__" {
          metadata = try Self.metadata(&scanner)
        } else {
          records.append(try Self.record(&scanner, name: name))
        }
      }
      for position in scanner.offset..<text.count where text[position] != UInt8(ascii: " ") {
        throw SafetensorsError.Violation.headerPadding(
          byte: text[position], position: Self.textPosition + position)
      }
    } catch let error as JSONError {
      throw .headerNotJSON(error, position: Self.textPosition + error.offset)
    } catch let violation as SafetensorsError.Violation {
      throw violation
    } catch {
      preconditionFailure("the parser throws only the errors caught above: \(error)")
    }
  }

  private static func metadata(
    _ scanner: inout JSONScanner
  ) throws -> [(name: String, value: String)] {
    let next = try scanner.peek()
    let position = textPosition + scanner.offset
    if next == UInt8(ascii: "n") {
      // The reference library reads null as absent, and no rule of the text speaks of it.
      try scanner.literal("null")
      return []
    }
    guard next == UInt8(ascii: "{") else {
      throw SafetensorsError.Violation.badMetadata(
        found: try scanner.excerpt(), position: position)
    }
    var entries: [(name: String, value: String)] = []
    try scanner.object { scanner, name in
      guard try scanner.peek() == UInt8(ascii: "\"") else {
        let position = textPosition + scanner.offset
        throw SafetensorsError.Violation.badMetadata(
          found: try scanner.excerpt(), position: position)
      }
      entries.append((name, try scanner.string()))
    }
    return entries
  }

  private static func record(_ scanner: inout JSONScanner, name: String) throws -> Record {
    guard try scanner.peek() == UInt8(ascii: "{") else {
      throw SafetensorsError.Violation.recordNotObject(
        tensor: name, position: textPosition + scanner.offset)
    }
    let start = textPosition + scanner.offset
    var dtype: DType?
    var shape: [UInt64]?
    var offsets: [UInt64]?
    try scanner.object { scanner, field in
      _ = try scanner.peek()
      let position = textPosition + scanner.offset
      switch field {
      case "dtype":
        let start = scanner
        guard try scanner.peek() == UInt8(ascii: "\""),
          let known = DType(rawValue: try scanner.string())
        else {
          throw SafetensorsError.Violation.unknownDType(
            tensor: name, found: try start.excerpt(), position: position)
        }
        dtype = known
      case "shape":
        let start = scanner
        switch try scanner.unsignedIntegers(limit: SafetensorsHeader.dimensionLimit) {
        case .these(let dimensions): shape = dimensions
        case .tooMany:
          throw SafetensorsError.Violation.tooManyDimensions(
            tensor: name, limit: SafetensorsHeader.dimensionLimit, position: position)
        case .somethingElse:
          throw SafetensorsError.Violation.badShape(
            tensor: name, found: try start.excerpt(), position: position)
        }
      case "data_offsets":
        let start = scanner
        guard case .these(let pair) = try scanner.unsignedIntegers(limit: 2), pair.count == 2 else {
          throw SafetensorsError.Violation.badOffsets(
            tensor: name, found: try start.excerpt(), position: position)
        }
        offsets = pair
      default: try scanner.skipValue(depth: 2)
      }
    }
    func required<T>(_ value: T?, _ field: String) throws -> T {
      guard let value else {
        throw SafetensorsError.Violation.fieldMissing(tensor: name, field: field, position: start)
      }
      return value
    }
    let range = try required(offsets, "data_offsets")
    return Record(
      name: name, dtype: try required(dtype, "dtype"), shape: try required(shape, "shape"),
      begin: range[0], end: range[1])
  }
}

/// What stands where unsigned integers are expected.
private enum UnsignedIntegers {
  case these([UInt64])
  case tooMany
  case somethingElse
}

extension JSONScanner {
  /// Reads an array of unsigned integers, spelled as such, below 2^64. Nothing is kept of more than
  /// `limit` of them, since a header may hold millions.
  ///
  /// Where something else stands there, the scanner has stepped over a part of it.
  fileprivate mutating func unsignedIntegers(limit: Int) throws -> UnsignedIntegers {
    guard try peek() == UInt8(ascii: "[") else { return .somethingElse }
    var integers: [UInt64] = []
    var count = 0
    var isSound = true
    try array { scanner in
      let next = try scanner.peek()
      guard isSound, next == UInt8(ascii: "-") || (0x30...0x39).contains(next) else {
        isSound = false
        return try scanner.skipValue(depth: 3)
      }
      let text = try scanner.number()
      guard text != "-0", let value = UInt64(text) else {
        isSound = false
        return
      }
      count += 1
      if count <= limit { integers.append(value) }
    }
    return !isSound ? .somethingElse : count > limit ? .tooMany : .these(integers)
  }

  /// The next value without white space, cut to a length that fits a message.
  fileprivate func excerpt() throws -> String {
    var rest = self
    _ = try rest.peek()
    let start = rest.offset
    try rest.skipValue(depth: 2)
    // What is far too long is not built to be cut: its beginning is shown as it is spelled.
    let whole = text(start..<min(rest.offset, start + 4096))
    let spelling =
      rest.offset - start <= 4096
      ? try JSONValue(parsing: Array(whole.utf8)).compactText : whole.filter { !$0.isWhitespace }
    return spelling.count <= 60 ? spelling : spelling.prefix(57) + "..."
  }
}
