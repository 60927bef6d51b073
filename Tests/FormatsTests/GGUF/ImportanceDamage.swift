import Formats
import Testing

/// One way to spoil an importance matrix, and what the reader must say.
struct ImportanceDamage: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let expected: ImportanceMatrixError.Violation
  let file: [UInt8]

  /// A file of the GGUF form with two entries, one of them of two experts.
  static let sound: GGUFBuilder = {
    var builder = GGUFBuilder()
    builder.add("general.type", value(string: "imatrix"))
    builder.add("imatrix.datasets", array(8, [text("a.txt")]))
    builder.add("imatrix.chunk_count", value(uint32: 1))
    builder.add("imatrix.chunk_size", value(uint32: 4))
    builder.add("x.in_sum2", [2, 1], [3, 6])
    builder.add("x.counts", [1, 1], [3])
    builder.add("y.in_sum2", [2, 2], [1, 2, 3, 4])
    builder.add("y.counts", [1, 2], [1, 2])
    return builder
  }()

  static func legacyEntry(_ name: String, calls: Int32, _ values: [Float]) -> [UInt8] {
    little(Int32(name.utf8.count)) + Array(name.utf8) + little(calls)
      + little(Int32(values.count)) + values.flatMap { little($0.bitPattern) }
  }

  /// The older form: two entries of 21 and 25 bytes, and what follows them from byte 50 on.
  static let legacy =
    little(Int32(2)) + legacyEntry("x", calls: 2, [1, 2]) + legacyEntry("y", calls: 1, [1, 2, 3])
    + little(Int32(1)) + little(Int32(5)) + Array("a.txt".utf8)

  init(
    _ description: String, _ expected: ImportanceMatrixError.Violation,
    change: (inout GGUFBuilder) -> Void
  ) {
    testDescription = description
    self.expected = expected
    var builder = Self.sound
    change(&builder)
    file = builder.bytes
  }

  /// The older form with the bytes from `offset` on replaced.
  init(
    _ description: String, _ expected: ImportanceMatrixError.Violation, at offset: Int,
    _ bytes: [UInt8]
  ) {
    testDescription = description
    self.expected = expected
    var file = Self.legacy
    file.replaceSubrange(offset..<min(offset + bytes.count, file.count), with: bytes)
    self.file = file
  }
}

extension ImportanceDamageTests {
  static let ofTheGGUFForm: [ImportanceDamage] = [
    ImportanceDamage("a model", .notImportanceMatrix(type: "model")) {
      $0.keys[0].value = value(string: "model")
    },
    ImportanceDamage("no type", .notImportanceMatrix(type: nil)) { $0.keys.remove(at: 0) },
    ImportanceDamage("no data sets", .keyMissing("imatrix.datasets")) { $0.keys.remove(at: 1) },
    ImportanceDamage("no chunks", .keyMissing("imatrix.chunk_count")) { $0.keys.remove(at: 2) },
    ImportanceDamage("no chunk size", .keyMissing("imatrix.chunk_size")) { $0.keys.remove(at: 3) },
    ImportanceDamage(
      "data sets as a text", .badKey("imatrix.datasets", expected: "an array of strings")
    ) { $0.keys[1].value = value(string: "a.txt") },
    ImportanceDamage("chunk size as a text", .badKey("imatrix.chunk_size", expected: "a uint32")) {
      $0.keys[3].value = value(string: "4")
    },
    ImportanceDamage("no entries", .noEntries) { $0.tensors = [] },
    ImportanceDamage("no counts", .halfMissing(entry: "x", missing: "x.counts")) {
      $0.tensors[1].name = "z"
    },
    ImportanceDamage("no sums", .halfMissing(entry: "y", missing: "y.in_sum2")) {
      $0.tensors[2].name = "z"
    },
    ImportanceDamage("sums of integers", .notF32(tensor: "x.in_sum2", type: .i32)) {
      $0.tensors[0].type = 26
    },
    ImportanceDamage("counts of integers", .notF32(tensor: "y.counts", type: .i32)) {
      $0.tensors[3].type = 26
    },
    ImportanceDamage(
      "one count for two experts", .badDimensions(entry: "y", sums: [2, 2], counts: [1])
    ) { $0.tensors[3].dimensions = [1] },
    ImportanceDamage(
      "experts of experts", .badDimensions(entry: "y", sums: [2, 1, 2], counts: [1, 2])
    ) { $0.tensors[2].dimensions = [2, 1, 2] },
    ImportanceDamage("no channels", .badDimensions(entry: "x", sums: [0, 1], counts: [1, 1])) {
      $0.tensors = []
      $0.data = []
      $0.add("x.in_sum2", [0, 1], [])
      $0.add("x.counts", [1, 1], [3])
    },
    ImportanceDamage("fewer than no tokens", .badTokenCount(entry: "y", matrix: 1, count: -1)) {
      $0.data.replaceSubrange(100..<104, with: little(Float(-1).bitPattern))
    },
    ImportanceDamage(
      "infinitely many tokens", .badTokenCount(entry: "x", matrix: 0, count: .infinity)
    ) { $0.data.replaceSubrange(32..<36, with: little(Float.infinity.bitPattern)) },
    ImportanceDamage(
      "sum below zero", .badValue(entry: "y", matrix: 1, channel: 0, value: -3, divisor: 2)
    ) { $0.data.replaceSubrange(72..<76, with: little(Float(-3).bitPattern)) },
    ImportanceDamage(
      "infinite sum",
      .badValue(entry: "x", matrix: 0, channel: 1, value: .infinity, divisor: 3)
    ) { $0.data.replaceSubrange(4..<8, with: little(Float.infinity.bitPattern)) },
    ImportanceDamage(
      "mean that overflows",
      .badValue(entry: "x", matrix: 0, channel: 0, value: 3, divisor: Double(Float(1e-39)))
    ) { $0.data.replaceSubrange(32..<36, with: little(Float(1e-39).bitPattern)) },
  ]

  static let ofTheOlderForm: [ImportanceDamage] = [
    // 59 bytes follow the number of entries; an entry takes 13.
    ImportanceDamage("no entries", .badEntryCount(0, limit: 4), at: 0, little(Int32(0))),
    ImportanceDamage("many entries", .badEntryCount(.max, limit: 4), at: 0, little(Int32.max)),
    ImportanceDamage(
      "name without letters",
      .badCount(of: "the length of the name of an entry", found: 0, position: 4), at: 4,
      little(Int32(0))),
    ImportanceDamage(
      "name of 64 bytes",
      .badCount(of: "the length of the name of an entry", found: 64, position: 4), at: 4,
      little(Int32(64))),
    ImportanceDamage(
      "name beyond the file", .endsEarly(position: 8, needed: 60, available: 55), at: 4,
      little(Int32(60))),
    ImportanceDamage(
      "name that is not UTF-8", .notUTF8("the name of an entry", position: 8), at: 8, [0xFF]),
    ImportanceDamage("name given twice", .repeatedEntry("x"), at: 29, Array("x".utf8)),
    ImportanceDamage(
      "fewer than no calls", .badCount(of: "the calls of 'x'", found: -1, position: 9), at: 9,
      little(Int32(-1))),
    ImportanceDamage(
      "no values", .badCount(of: "the values of 'x'", found: 0, position: 13), at: 13,
      little(Int32(0))),
    ImportanceDamage(
      "values beyond the file",
      .endsEarly(position: 17, needed: 4 * UInt64(Int32.max), available: 46), at: 13,
      little(Int32.max)),
    ImportanceDamage(
      "value below zero",
      .badValue(entry: "x", matrix: 0, channel: 1, value: -1, divisor: 2), at: 21,
      little(Float(-1).bitPattern)),
    ImportanceDamage(
      "fewer than no chunks", .badCount(of: "the number of chunks", found: -1, position: 50),
      at: 50, little(Int32(-1))),
    ImportanceDamage(
      "data set beyond the file", .endsEarly(position: 58, needed: 6, available: 5), at: 54,
      little(Int32(6))),
    ImportanceDamage(
      "one byte appended", .trailingBytes(position: 63, count: 1), at: 62, [0x74, 0]),
  ]
}
