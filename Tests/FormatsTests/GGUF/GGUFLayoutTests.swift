import Formats
import Testing

/// Headers are compared with what the builder of these tests writes from the format's description, and read
/// back by the reader.
@Suite struct GGUFLayoutTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  @Test func theHeaderIsThatOfTheDescription() throws {
    let layout = try GGUFLayout([
      .init(name: "a.weight", type: .f32, shape: [3, 2]), .init(name: "b", type: .f32, shape: [4]),
    ])
    let header = layout.header(metadata: [
      ("general.architecture", .string("test")), ("numbers", .array(.int32([-1, 7]))),
    ])
    #expect(header == Array(GGUFBuilder.sound.bytes.prefix(192)))
    // 24 bytes, then 16; each rounded up to 32.
    #expect(layout.tensors.map(\.dataRange) == [0..<24, 32..<48])
    #expect(layout.dataByteCount == 64)
  }

  @Test func everyTypeOfValueComesBack() throws {
    let metadata: [(key: String, value: GGUFValue)] = [
      ("u8", .uint8(200)), ("i8", .int8(-3)), ("u16", .uint16(60000)), ("i16", .int16(-300)),
      ("u32", .uint32(4_000_000_000)), ("i32", .int32(-70000)), ("f32", .float32(0.1)),
      ("yes", .bool(true)), ("no", .bool(false)), ("text", .string("Grüße ▁")),
      ("u64", .uint64(.max)), ("i64", .int64(.min)), ("f64", .float64(-1e300)),
      ("u8s", .array(.uint8([1, 255]))), ("i8s", .array(.int8([-1]))),
      ("u16s", .array(.uint16([1, 65535]))), ("i16s", .array(.int16([-1, 2]))),
      ("u32s", .array(.uint32([.max]))), ("i32s", .array(.int32([.min, 0]))),
      ("f32s", .array(.float32([1.5, -0.25]))), ("flags", .array(.bool([true, false, true]))),
      ("texts", .array(.string(["", "a b"]))), ("u64s", .array(.uint64([7]))),
      ("i64s", .array(.int64([-7]))), ("f64s", .array(.float64([0.125]))),
      ("none", .array(.string([]))),
    ]
    let header = try GGUFLayout([]).header(metadata: metadata)
    let read = try GGUFFile(path: directory.write(header, to: "keys.gguf")).header
    #expect(read.version == 3)
    #expect(read.metadata.map(\.key) == metadata.map(\.key))
    #expect(read.metadata.map(\.value) == metadata.map(\.value))
  }

  @Test func tensorsOfEveryBlockLieWhereTheReaderExpectsThem() throws {
    let types = GGMLType.allCases
    let layout = try GGUFLayout(
      types.map { .init(name: "\($0)", type: $0, shape: [3, 5, $0.blockLength]) }
        + [
          .init(name: "scalar", type: .f32, shape: []),
          .init(name: "empty", type: .f16, shape: [0, 8]),
        ])
    let header = layout.header(metadata: [])
    let file = try GGUFFile(
      path: directory.write(
        header + [UInt8](repeating: 0, count: layout.dataByteCount), to: "types.gguf"))
    #expect(header.count % 32 == 0)
    #expect(file.header.tensors.map(\.name) == layout.tensors.map(\.name))
    #expect(
      file.header.tensors.map(\.dataRange)
        == layout.tensors.map {
          $0.dataRange.lowerBound + header.count..<$0.dataRange.upperBound + header.count
        })
    for (tensor, type) in zip(file.header.tensors, types) {
      #expect(tensor.dimensions == [type.blockLength, 5, 3] && tensor.type == type)
      #expect(tensor.byteCount == 15 * type.blockByteCount)
    }
  }

  @Test(arguments: [
    (
      [GGUFLayout.Request(name: String(repeating: "n", count: 64), type: .f32, shape: [1])],
      GGUFError.Violation.nameTooLong(byteCount: 64, position: 0)
    ),
    (
      [.init(name: "a", type: .f32, shape: [1]), .init(name: "a", type: .f16, shape: [2])],
      .repeatedTensor("a", position: 0)
    ),
    (
      [.init(name: "a", type: .f32, shape: [1, 1, 1, 1, 2])],
      .tooManyDimensions(tensor: "a", count: 5)
    ),
    (
      [.init(name: "a", type: .q8_0, shape: [2, 48])],
      .partialBlock(tensor: "a", dimension: 48, type: .q8_0)
    ),
    (
      [.init(name: "a", type: .f32, shape: [1 << 31, 1 << 31])],
      .sizeOverflow(tensor: "a", dimensions: [1 << 31, 1 << 31], type: .f32)
    ),
  ])
  func whatTheReferenceLibraryRefusesIsNotWritten(
    requests: [GGUFLayout.Request], violation: GGUFError.Violation
  ) {
    #expect(throws: violation) { try GGUFLayout(requests) }
  }

  @Test func aSealedHeaderNoticesEveryChange() throws {
    var header = try GGUFLayout([.init(name: "a", type: .f16, shape: [2, 2])]).header(metadata: [
      ("general.architecture", .string("llama")),
      (Manifest.headerChecksumKey, .string(HeaderChecksum.placeholder)), ("n", .uint32(5)),
    ])
    #expect(HeaderChecksum.isIntact(header, .gguf) == false)
    HeaderChecksum.seal(&header, .gguf)
    #expect(HeaderChecksum.isIntact(header, .gguf) == true)
    for index in header.indices {
      var damaged = header
      damaged[index] ^= 4
      #expect(HeaderChecksum.isIntact(damaged, .gguf) != true, "byte \(index)")
    }
  }
}
