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
        found: try describe(&scanner), position: position)
    }
    var entries: [(name: String, value: String)] = []
    try scanner.object { scanner, name in
      guard try scanner.peek() == UInt8(ascii: "\"") else {
        let position = textPosition + scanner.offset
        throw SafetensorsError.Violation.badMetadata(
          found: try describe(&scanner), position: position)
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
        let value = try scanner.value(depth: 2)
        guard let known = value.stringValue.flatMap(DType.init(rawValue:)) else {
          throw SafetensorsError.Violation.unknownDType(
            tensor: name, found: value.excerpt, position: position)
        }
        dtype = known
      case "shape":
        let value = try scanner.value(depth: 2)
        guard let dimensions = value.unsignedIntegers else {
          throw SafetensorsError.Violation.badShape(
            tensor: name, found: value.excerpt, position: position)
        }
        shape = dimensions
      case "data_offsets":
        let value = try scanner.value(depth: 2)
        guard let pair = value.unsignedIntegers, pair.count == 2 else {
          throw SafetensorsError.Violation.badOffsets(
            tensor: name, found: value.excerpt, position: position)
        }
        offsets = pair
      default: _ = try scanner.value(depth: 2)
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

  private static func describe(_ scanner: inout JSONScanner) throws -> String {
    try scanner.value(depth: 2).excerpt
  }
}

extension JSONValue {
  /// The elements of an array that holds only unsigned integers, spelled as such, below 2^64.
  fileprivate var unsignedIntegers: [UInt64]? {
    guard let elements = arrayValue else { return nil }
    var integers: [UInt64] = []
    for element in elements {
      guard case .number(let text) = element, text != "-0", let value = UInt64(text) else {
        return nil
      }
      integers.append(value)
    }
    return integers
  }

  /// The value as written, cut to a length that fits a message.
  fileprivate var excerpt: String {
    let text = compactText
    return text.count <= 60 ? text : text.prefix(57) + "..."
  }
}
