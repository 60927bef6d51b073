import Formats
import Testing

/// One way to spoil a valid file, and what the reader must say, with the place.
struct Damage: Sendable, CustomTestStringConvertible {
  typealias Violation = SafetensorsError.Violation

  let testDescription: String
  let file: [UInt8]
  let expected: Violation

  /// Two tensors, three bytes of data; 105 bytes of header, so the data begins at byte 113.
  static let header =
    #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"#
    + #""b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}"#
  static let data: [UInt8] = [1, 2, 3]
  static let valid = safetensors(header, data: data)

  /// The file with some of its bytes changed.
  init(_ description: String, _ expected: Violation, change: (inout [UInt8]) -> Void) {
    testDescription = description
    self.expected = expected
    var file = Self.valid
    change(&file)
    self.file = file
  }

  /// The file with `old`, where it first stands in the header, spelled `new`.
  init(_ description: String, _ old: String, _ new: String, _ expected: Violation) {
    testDescription = description
    self.expected = expected
    let range = Self.header.firstRange(of: old)
    precondition(range != nil, "the header has no '\(old)'")
    file = safetensors(Self.header.replacingCharacters(in: range!, with: new), data: Self.data)
  }
}

extension String {
  fileprivate func firstRange(of part: String) -> Range<Index>? { ranges(of: part).first }

  fileprivate func replacingCharacters(in range: Range<Index>, with new: String) -> String {
    self[..<range.lowerBound] + new + self[range.upperBound...]
  }
}

@Suite struct SafetensorsDamageTests {
  /// The violation of a file held in memory; nil for a valid one.
  private func violation(of file: [UInt8]) -> SafetensorsError.Violation? {
    do {
      let length = try SafetensorsHeader.length(
        field: Array(file.prefix(8)), fileSize: file.count)
      _ = try SafetensorsHeader(text: Array(file[8..<8 + length]), fileSize: file.count)
      return nil
    } catch { return error }
  }

  @Test func theUndamagedFileIsRead() throws {
    #expect(violation(of: Damage.valid) == nil)
    let header = try SafetensorsHeader(text: Array(Damage.header.utf8), fileSize: 116)
    #expect(header.dataOffset == 113)
    #expect(
      header.tensors == [
        TensorInfo(name: "a", dtype: .u8, shape: [2], dataRange: 0..<2),
        TensorInfo(name: "b", dtype: .u8, shape: [1], dataRange: 2..<3),
      ])
  }

  @Test(arguments: ofTheLength + ofTheJSON + ofTheRecords + ofTheTiling)
  func isRefused(_ damage: Damage) {
    #expect(violation(of: damage.file) == damage.expected)
  }

  @Test func everyShorterFileIsRefused() {
    for count in 0..<Damage.valid.count {
      #expect(violation(of: Array(Damage.valid.prefix(count))) != nil, "\(count) bytes")
    }
  }

  private static func json(
    _ fault: JSONError.Fault, at position: Int
  ) -> SafetensorsError.Violation {
    .headerNotJSON(JSONError(fault, at: position - 8), position: position)
  }

  static let ofTheLength: [Damage] = [
    Damage("empty", .tooShort(byteCount: 0)) { $0 = [] },
    Damage("half a length field", .tooShort(byteCount: 7)) { $0 = Array($0.prefix(7)) },
    Damage("header one byte short", .headerPastEnd(declared: 105, available: 104)) {
      $0 = Array($0.prefix(8 + 104))
    },
    Damage("length of an exabyte", .headerTooLarge(declared: 1 << 60, limit: 100_000_000)) {
      $0.replaceSubrange(0..<8, with: [0, 0, 0, 0, 0, 0, 0, 16])
    },
    Damage("one above the limit", .headerTooLarge(declared: 100_000_001, limit: 100_000_000)) {
      $0.replaceSubrange(0..<8, with: [0x01, 0xE1, 0xF5, 0x05, 0, 0, 0, 0])
    },
    Damage("length at the limit", .headerPastEnd(declared: 100_000_000, available: 108)) {
      $0.replaceSubrange(0..<8, with: [0x00, 0xE1, 0xF5, 0x05, 0, 0, 0, 0])
    },
    Damage("no header", json(.endsEarly, at: 8)) { $0[0] = 0 },
    Damage("length one too small", json(.endsEarly, at: 112)) { $0[0] -= 1 },
    Damage("length one too large", .headerPadding(byte: 1, position: 113)) { $0[0] += 1 },
  ]

  static let ofTheJSON: [Damage] = [
    Damage("byte that is not UTF-8", .headerNotUTF8(position: 10)) { $0[10] = 0xFF },
    Damage("space before the object", "{", " {", .headerStart(byte: 0x20)),
    Damage("list in place of the object", "{", "[", .headerStart(byte: 0x5B)),
    Damage("tab after the object", "3]}}", "3]}}\t", .headerPadding(byte: 9, position: 113)),
    Damage("second object", "3]}}", "3]}} {}", .headerPadding(byte: 0x7B, position: 114)),
    Damage("name given twice", "\"b\"", "\"a\"", json(.repeatedName("a"), at: 61)),
    Damage(
      "name given twice in another spelling", "\"b\"", #""\u0061""#,
      json(.repeatedName("a"), at: 61)),
    Damage(
      "field given twice", #""shape":[2]"#, #""dtype":"U8""#, json(.repeatedName("dtype"), at: 27)),
    Damage(
      "field given twice in another spelling", #""shape":[2]"#, #""\u0064type":"U8""#,
      json(.repeatedName("dtype"), at: 27)),
    Damage("leading zero", "[2]", "[02]", json(.badNumber, at: 36)),
    Damage(
      "trailing comma", "3]}}", "3]},}",
      json(
        .unexpectedByte(0x7D, expected: "a string"), at: 113)),
    Damage("half a surrogate pair", "\"b\"", #""\ud800""#, json(.loneSurrogate, at: 62)),
    Damage("unknown escape", "\"b\"", #""\x""#, json(.badEscape, at: 62)),
    Damage("raw control character", "\"b\"", "\"\u{1}\"", json(.controlCharacter(1), at: 62)),
    Damage(
      "nested too deep", "\"b\":{", "\"b\":{\"x\":" + String(repeating: "[", count: 126),
      json(.tooDeep(limit: 127), at: 195)),
  ]

  static let ofTheRecords: [Damage] = [
    Damage(
      "record that is a list", #"{"dtype":"U8","shape":[1],"data_offsets":[2,3]}"#,
      #"["U8",[1],[2,3]]"#, .recordNotObject(tensor: "b", position: 65)),
    Damage(
      "no dtype", #""dtype":"U8","#, "",
      .fieldMissing(
        tensor: "a", field: "dtype", position: 13)),
    Damage(
      "no shape", #""shape":[1],"#, "",
      .fieldMissing(
        tensor: "b", field: "shape", position: 65)),
    Damage(
      "no offsets", #","data_offsets":[0,2]"#, "",
      .fieldMissing(
        tensor: "a", field: "data_offsets", position: 13)),
    Damage(
      "dtype in lower case", "\"U8\"", "\"u8\"",
      .unknownDType(
        tensor: "a", found: "\"u8\"", position: 22)),
    Damage(
      "dtype as a map", "\"U8\"", #"{"U8":null}"#,
      .unknownDType(
        tensor: "a", found: #"{"U8":null}"#, position: 22)),
    Damage(
      "dimension below zero", "[2]", "[-2]",
      .badShape(
        tensor: "a", found: "[-2]", position: 35)),
    Damage(
      "dimension as a fraction", "[2]", "[2.0]",
      .badShape(
        tensor: "a", found: "[2.0]", position: 35)),
    Damage("minus zero", "[2]", "[-0]", .badShape(tensor: "a", found: "[-0]", position: 35)),
    Damage(
      "dimension of 2^64", "[2]", "[18446744073709551616]",
      .badShape(
        tensor: "a", found: "[18446744073709551616]", position: 35)),
    Damage("shape as a number", "[2]", "2", .badShape(tensor: "a", found: "2", position: 35)),
    Damage(
      "three offsets", "[2,3]", "[2,3,3]",
      .badOffsets(
        tensor: "b", found: "[2,3,3]", position: 106)),
    Damage(
      "offset as text", "[2,3]", #"[2,"3"]"#,
      .badOffsets(
        tensor: "b", found: #"[2,"3"]"#, position: 106)),
    Damage(
      "metadata as a list", "\"a\":", #""__metadata__":[],"a":"#,
      .badMetadata(
        found: "[]", position: 24)),
    Damage(
      "metadata of numbers", "\"a\":", #""__metadata__":{"x":1},"a":"#,
      .badMetadata(
        found: "1", position: 29)),
  ]

  static let ofTheTiling: [Damage] = [
    Damage("overlap", "[2,3]", "[1,3]", .overlap(tensor: "b", begin: 1, previousEnd: 2)),
    Damage("gap", "[2,3]", "[3,4]", .gap(tensor: "b", begin: 3, previousEnd: 2)),
    Damage("gap at the start", "[0,2]", "[1,2]", .gap(tensor: "a", begin: 1, previousEnd: 0)),
    Damage("end before begin", "[2,3]", "[2,1]", .endBeforeBegin(tensor: "b", begin: 2, end: 1)),
    Damage("too many bytes", "[1]", "[0]", .wrongSize(tensor: "b", declared: 1, expected: 0)),
    Damage("too few bytes", "[1]", "[5]", .wrongSize(tensor: "b", declared: 1, expected: 5)),
    Damage(
      "product of the dimensions overflows", "[1]", "[4294967296,4294967296]",
      .sizeOverflow(tensor: "b", shape: [1 << 32, 1 << 32], dtype: .u8)),
    Damage(
      "bits overflow", "[1]", "[2305843009213693952]",
      .sizeOverflow(tensor: "b", shape: [1 << 61], dtype: .u8)),
    Damage(
      "overflow before a zero", "[1]", "[9223372036854775808,2,0]",
      .sizeOverflow(tensor: "b", shape: [1 << 63, 2, 0], dtype: .u8)),
    Damage(
      "half a byte", "\"U8\",\"shape\":[1]", "\"F4\",\"shape\":[1]",
      .partialByte(
        tensor: "b", bits: 4)),
    Damage("data one byte short", .dataMissing(expected: 3, available: 2)) { $0.removeLast() },
    Damage("one byte appended", .trailingData(expected: 3, available: 4)) { $0.append(0) },
    Damage(
      "end beyond 2^63", #"[1],"data_offsets":[2,3]"#,
      #"[18446744073709551613],"data_offsets":[2,18446744073709551615]"#,
      .sizeOverflow(tensor: "b", shape: [.max - 2], dtype: .u8)),
  ]
}
