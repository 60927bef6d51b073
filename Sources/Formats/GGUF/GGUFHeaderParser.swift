/// Reads a GGUF header in file order and checks what can be checked on the way. Sizes and places
/// are the header's own business, once the alignment is known.
struct GGUFHeaderParser {
  struct Record {
    let name: String
    let dimensions: [Int]
    let type: GGMLType
    /// Counted from the start of the data.
    let offset: UInt64
  }

  private(set) var version: UInt32 = 0
  private(set) var metadata: [(key: String, value: GGUFValue)] = []
  private(set) var records: [Record] = []
  private var reader: SequentialReader

  /// A key's length, one byte of it, its type and one byte of a value.
  private static let leastKeyByteCount = 8 + 1 + 4 + 1
  /// A name's length, the number of dimensions, the type and the offset.
  private static let leastRecordByteCount = 8 + 4 + 4 + 8

  init(_ input: InputFile) {
    reader = SequentialReader(input, limit: GGUFHeader.lengthLimit)
  }

  /// Where the header ends, once it has been parsed.
  var position: Int { reader.position }

  /// - Throws: `GGUFError.Violation`, `SequentialReader.EndsEarly` or `FileError`.
  mutating func parse() throws {
    let magic = try reader.bytes(UInt64(min(GGUFHeader.magic.count, reader.remaining)))
    guard magic == GGUFHeader.magic else { throw GGUFError.Violation.notGGUF(start: magic) }
    version = try reader.integer(UInt32.self)
    guard version == 2 || version == 3 else { throw GGUFError.Violation.badVersion(version) }
    let tensorCount = try reader.integer(Int64.self)
    let keyCount = try reader.integer(Int64.self)
    try check(keyCount, of: "keys", each: Self.leastKeyByteCount)
    try check(tensorCount, of: "tensors", each: Self.leastRecordByteCount)
    try parseMetadata(Int(keyCount))
    try parseRecords(Int(tensorCount))
  }

  /// Refuses a count that what is left of the file could not hold.
  private func check(
    _ count: Int64, of things: String, each size: Int
  ) throws(GGUFError.Violation) {
    let limit = reader.remaining / size
    guard (0...Int64(limit)).contains(count) else {
      throw .badCount(of: things, found: count, limit: limit)
    }
  }

  private mutating func parseMetadata(_ count: Int) throws {
    // Compared as bytes: Swift strings equate canonically equivalent spellings, the format does not.
    var keys = Set<[UInt8]>()
    for _ in 0..<count {
      let position = reader.position
      let length = try reader.integer(UInt64.self)
      guard length <= UInt64(GGUFHeader.keyLimit) else {
        throw GGUFError.Violation.keyTooLong(byteCount: length, position: position)
      }
      let bytes = try reader.bytes(length)
      let key = try Self.text(bytes, of: "a key", at: position)
      guard !key.isEmpty else { throw GGUFError.Violation.emptyKey(position: position) }
      guard keys.insert(bytes).inserted else {
        throw GGUFError.Violation.repeatedKey(key, position: position)
      }
      let type = try valueType(of: key)
      metadata.append((key, try value(type, of: key)))
    }
  }

  private mutating func valueType(of key: String) throws -> GGUFValueType {
    let position = reader.position
    let id = try reader.integer(Int32.self)
    guard let type = GGUFValueType(rawValue: id) else {
      throw GGUFError.Violation.unknownValueType(key: key, id: id, position: position)
    }
    return type
  }

  private mutating func value(_ type: GGUFValueType, of key: String) throws -> GGUFValue {
    switch type {
    case .uint8: .uint8(try reader.integer(UInt8.self))
    case .int8: .int8(try reader.integer(Int8.self))
    case .uint16: .uint16(try reader.integer(UInt16.self))
    case .int16: .int16(try reader.integer(Int16.self))
    case .uint32: .uint32(try reader.integer(UInt32.self))
    case .int32: .int32(try reader.integer(Int32.self))
    case .float32: .float32(Float(bitPattern: try reader.integer(UInt32.self)))
    case .bool: .bool(try reader.integer(UInt8.self) != 0)
    case .string: .string(try string(of: key))
    case .array: .array(try array(of: key))
    case .uint64: .uint64(try reader.integer(UInt64.self))
    case .int64: .int64(try reader.integer(Int64.self))
    case .float64: .float64(Double(bitPattern: try reader.integer(UInt64.self)))
    }
  }

  private mutating func array(of key: String) throws -> GGUFArray {
    let position = reader.position
    let type = try valueType(of: key)
    let claimed = try reader.integer(UInt64.self)
    let limit = reader.remaining / type.leastByteCount
    guard claimed <= UInt64(limit) else {
      throw GGUFError.Violation.arrayTooLong(
        key: key, count: claimed, limit: limit, position: position)
    }
    let count = Int(claimed)
    return switch type {
    case .uint8: .uint8(try reader.bytes(claimed))
    case .int8: .int8(try integers(count))
    case .uint16: .uint16(try integers(count))
    case .int16: .int16(try integers(count))
    case .uint32: .uint32(try integers(count))
    case .int32: .int32(try integers(count))
    case .float32:
      .float32(try elements(count) { Float(bitPattern: try $0.reader.integer(UInt32.self)) })
    case .bool: .bool(try elements(count) { try $0.reader.integer(UInt8.self) != 0 })
    case .string: .string(try elements(count) { try $0.string(of: key) })
    case .array: throw GGUFError.Violation.nestedArray(key: key, position: position)
    case .uint64: .uint64(try integers(count))
    case .int64: .int64(try integers(count))
    case .float64:
      .float64(try elements(count) { Double(bitPattern: try $0.reader.integer(UInt64.self)) })
    }
  }

  private mutating func integers<T: FixedWidthInteger & BitwiseCopyable>(
    _ count: Int
  ) throws -> [T] {
    try elements(count) { try $0.reader.integer(T.self) }
  }

  private mutating func elements<T>(
    _ count: Int, _ next: (inout GGUFHeaderParser) throws -> T
  ) throws -> [T] {
    var elements: [T] = []
    elements.reserveCapacity(count)
    for _ in 0..<count { elements.append(try next(&self)) }
    return elements
  }

  private mutating func string(of key: String) throws -> String {
    let position = reader.position
    let bytes = try reader.bytes(reader.integer(UInt64.self))
    return try Self.text(bytes, of: "the value of '\(key)'", at: position)
  }

  /// - Parameters:
  ///   - owner: whose text it is, for the message.
  ///   - position: where the string's length field stands.
  private static func text(
    _ bytes: [UInt8], of owner: @autoclosure () -> String, at position: Int
  ) throws(GGUFError.Violation) -> String {
    if let offset = UTF8.firstInvalidOffset(in: bytes) {
      throw .notUTF8(owner(), position: position + 8 + offset)
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private mutating func parseRecords(_ count: Int) throws {
    var names = Set<[UInt8]>()
    for _ in 0..<count {
      let position = reader.position
      let length = try reader.integer(UInt64.self)
      guard length <= UInt64(GGUFHeader.nameLimit) else {
        throw GGUFError.Violation.nameTooLong(byteCount: length, position: position)
      }
      let bytes = try reader.bytes(length)
      let name = try Self.text(bytes, of: "a tensor's name", at: position)
      guard names.insert(bytes).inserted else {
        throw GGUFError.Violation.repeatedTensor(name, position: position)
      }
      records.append(try record(name))
    }
  }

  private mutating func record(_ name: String) throws -> Record {
    let rank = try reader.integer(UInt32.self)
    guard rank <= UInt32(GGUFHeader.dimensionLimit) else {
      throw GGUFError.Violation.tooManyDimensions(tensor: name, count: rank)
    }
    let dimensions = try elements(Int(rank)) { Int(try $0.reader.integer(Int64.self)) }
    guard dimensions.allSatisfy({ $0 >= 0 }) else {
      throw GGUFError.Violation.negativeDimension(tensor: name, dimensions: dimensions)
    }
    let id = try reader.integer(Int32.self)
    guard let type = GGMLType(rawValue: id) else {
      throw GGUFError.Violation.unknownType(tensor: name, id: id)
    }
    // A scalar is a row of one value.
    guard (dimensions.first ?? 1).isMultiple(of: type.blockLength) else {
      throw GGUFError.Violation.partialBlock(
        tensor: name, dimension: dimensions.first ?? 1, type: type)
    }
    return Record(
      name: name, dimensions: dimensions, type: type, offset: try reader.integer(UInt64.self))
  }
}
