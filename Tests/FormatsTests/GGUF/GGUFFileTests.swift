import Formats
import Testing

/// Expected values come from `struct.unpack` over the fixtures' bytes, or from the format's text.
@Suite struct GGUFFileTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func open(_ builder: GGUFBuilder) throws -> GGUFFile {
    try GGUFFile(path: directory.write(builder.bytes, to: "file.gguf"))
  }

  @Test func aModelIsReadAsItWasWritten() throws {
    let file = try GGUFFile(path: Fixture.path("gguf/tiny_llama_mixed.gguf"))
    #expect(file.header.version == 3)
    #expect(
      file.header.metadata.map(\.key).prefix(3)
        == ["general.architecture", "general.name", "llama.context_length"])
    #expect(file.header.metadata.count == 24)
    #expect(file.header.value("general.architecture") == .string("llama"))
    #expect(file.header.value("llama.context_length") == .uint32(128))
    #expect(file.header.value("llama.rope.freq_base") == .float32(10000))
    #expect(file.header.value("none") == nil)
    guard case .array(.string(let tokens)) = file.header.value("tokenizer.ggml.tokens"),
      case .array(.float32(let scores)) = file.header.value("tokenizer.ggml.scores"),
      case .array(.int32(let types)) = file.header.value("tokenizer.ggml.token_type")
    else {
      Issue.record("the vocabulary has other types")
      return
    }
    #expect(tokens.count == 128 && tokens[1] == "<s>" && tokens[127] == "t127")
    #expect(scores.count == 128 && scores[127] == -127)
    #expect(types.count == 128 && types.prefix(4) == [2, 3, 3, 1])
  }

  @Test func tensorsLieWhereTheyWereWritten() throws {
    let file = try GGUFFile(path: Fixture.path("gguf/tiny_llama_mixed.gguf"))
    let tensors = file.header.tensors
    #expect(tensors.count == 21)
    #expect(tensors[0].name == "blk.0.attn_v.weight" && tensors[0].type == .q5_1)
    #expect(tensors[0].dimensions == [64, 32])
    // The data begins at 4704: 4703 bytes of header, rounded up to 32.
    #expect(tensors[0].dataRange == 4704..<6240)
    #expect(tensors[7].name == "blk.0.ffn_down.weight" && tensors[7].type == .q8_0)
    #expect(tensors[7].dataRange == 20832..<29536)
    #expect(tensors[11].type == .f16 && tensors[11].elementCount == 8192)
    #expect(tensors[20].dataRange == 80992..<81248)

    var bytes = [UInt8](repeating: 0, count: 10)
    try file.read(0..<8, of: tensors[0], into: &bytes, at: 2)
    #expect(bytes == [0, 0, 145, 30, 168, 174, 138, 145, 30, 161])
    try file.read(252..<256, of: tensors[20], into: &bytes)
    #expect(bytes.prefix(4) == [0, 0, 129, 63])
  }

  @Test func everyTypeOfValueIsRead() throws {
    var builder = GGUFBuilder()
    builder.add("0", little(Int32(0)) + [200])
    builder.add("1", little(Int32(1)) + [200])
    builder.add("2", little(Int32(2)) + [1, 2])
    builder.add("3", little(Int32(3)) + [0, 128])
    builder.add("4", little(Int32(4)) + [0, 0, 0, 128])
    builder.add("5", little(Int32(5)) + [0, 0, 0, 128])
    builder.add("6", little(Int32(6)) + [0, 0, 0xC0, 0x3F])
    builder.add("7", little(Int32(7)) + [1])
    builder.add("8", value(string: "é"))
    builder.add("9", array(8, [text("a"), text("")]))
    builder.add("10", little(Int32(10)) + little(UInt64.max))
    builder.add("11", little(Int32(11)) + little(Int64.min))
    builder.add("12", little(Int32(12)) + [0, 0, 0, 0, 0, 0, 0xF8, 0xBF])
    #expect(
      try open(builder).header.metadata.map(\.value) == [
        .uint8(200), .int8(-56), .uint16(0x201), .int16(.min), .uint32(1 << 31), .int32(.min),
        .float32(1.5), .bool(true), .string("é"), .array(.string(["a", ""])), .uint64(.max),
        .int64(.min), .float64(-1.5),
      ])
  }

  @Test func everyTypeOfArrayIsRead() throws {
    let cases: [(Int32, Int, GGUFArray)] = [
      (0, 1, .uint8([1, 255])), (1, 1, .int8([1, -1])), (2, 2, .uint16([1, .max])),
      (3, 2, .int16([1, -1])), (4, 4, .uint32([1, .max])), (5, 4, .int32([1, -1])),
      (7, 1, .bool([true, true])), (10, 8, .uint64([1, .max])), (11, 8, .int64([1, -1])),
    ]
    var builder = GGUFBuilder()
    for (type, size, _) in cases {
      let one = [1] + [UInt8](repeating: 0, count: size - 1)
      builder.add("\(type)", array(type, [one, [UInt8](repeating: 255, count: size)]))
    }
    builder.add("6", array(6, [[0, 0, 0x80, 0x3F]]))
    builder.add("12", array(12, [[0, 0, 0, 0, 0, 0, 0xF0, 0x3F]]))
    builder.add("empty", array(4, []))
    let expected = cases.map { GGUFValue.array($0.2) }
    #expect(
      try open(builder).header.metadata.map(\.value) == expected + [
        .array(.float32([1])), .array(.float64([1])), .array(.uint32([])),
      ])
  }

  /// The header is read through a window of 64 KiB, which these pieces fill and cross.
  @Test func aHeaderLargerThanTheWindowIsRead() throws {
    let texts = (0..<9000).map { String(repeating: "x", count: $0 % 23) + "\($0)" }
    let long = String(repeating: "y", count: 200_000)
    var builder = GGUFBuilder.sound
    builder.add("texts", array(8, texts.map { text($0) }))
    builder.add("long", value(string: long))
    builder.add("more", array(8, texts.map { text($0) }))
    builder.add("after", value(uint32: 77))
    let header = try open(builder).header
    #expect(header.value("texts") == .array(.string(texts)))
    #expect(header.value("long")?.stringValue?.utf8.count == 200_000)
    #expect(header.value("more") == .array(.string(texts)))
    #expect(header.value("after") == .uint32(77))
    #expect(header.tensors.map(\.name) == ["a.weight", "b"])
  }

  @Test(arguments: [8, 64, 4096])
  func anotherAlignmentMovesTheData(_ alignment: Int) throws {
    var builder = GGUFBuilder()
    builder.alignment = alignment
    builder.add("general.alignment", value(uint32: UInt32(alignment)))
    builder.add("a", [1], [1])
    builder.add("b", [2], [2, 3])
    let file = try open(builder)
    #expect(file.header.tensors.allSatisfy { $0.dataRange.lowerBound.isMultiple(of: alignment) })
    var bytes = [UInt8](repeating: 0, count: 8)
    try file.read(0..<8, of: file.header.tensors[1], into: &bytes)
    #expect(bytes == [0, 0, 0, 0x40, 0, 0, 0x40, 0x40])
  }

  /// As long as a name and a key may be.
  @Test func longNamesAreRead() throws {
    let name = String(repeating: "n", count: 63)
    let key = String(repeating: "k", count: 65_535)
    var builder = GGUFBuilder()
    builder.add(key, value(uint32: 1))
    builder.add(name, [1], [1])
    let header = try open(builder).header
    #expect(header.value(key) == .uint32(1))
    #expect(header.tensors.map(\.name) == [name])
  }

  @Test func versionTwoAndBytesAtTheEndAreAccepted() throws {
    var builder = GGUFBuilder.sound
    builder.version = 2
    builder.data += [1, 2, 3]
    #expect(try open(builder).header.version == 2)
  }

  /// A scalar has no dimensions; an empty tensor takes no bytes, wherever it stands.
  @Test func scalarsAndEmptyTensorsAreAccepted() throws {
    var builder = GGUFBuilder()
    builder.add("scalar", [], [1])
    builder.add("empty", [0, 5], [])
    builder.add("last", [0], [])
    let tensors = try open(builder).header.tensors
    #expect(tensors.map(\.byteCount) == [4, 0, 0])
    #expect(tensors.map(\.elementCount) == [1, 0, 0])
  }

  /// Block sizes as gguf-py 0.19.0 lists them in `GGML_QUANT_SIZES`.
  @Test func blocksHaveTheirSizes() {
    let sizes: [(GGMLType, Int, Int)] = [
      (.f32, 1, 4), (.f16, 1, 2), (.q4_0, 32, 18), (.q4_1, 32, 20), (.q5_0, 32, 22),
      (.q5_1, 32, 24), (.q8_0, 32, 34), (.q2_K, 256, 84), (.q3_K, 256, 110), (.q4_K, 256, 144),
      (.q5_K, 256, 176), (.q6_K, 256, 210), (.iq2_XXS, 256, 66), (.iq2_XS, 256, 74),
      (.iq3_XXS, 256, 98), (.iq1_S, 256, 50), (.iq4_NL, 32, 18), (.iq3_S, 256, 110),
      (.iq2_S, 256, 82), (.iq4_XS, 256, 136), (.i8, 1, 1), (.i16, 1, 2), (.i32, 1, 4),
      (.i64, 1, 8), (.f64, 1, 8), (.iq1_M, 256, 56), (.bf16, 1, 2), (.tq1_0, 256, 54),
      (.tq2_0, 256, 66), (.mxfp4, 32, 17), (.nvfp4, 64, 36),
    ]
    #expect(sizes.map(\.0) == GGMLType.allCases)
    for (type, length, bytes) in sizes {
      #expect(type.blockLength == length && type.blockByteCount == bytes, "\(type.name)")
    }
    #expect(GGMLType.q4_K.name == "Q4_K")
  }
}
