import Formats
import Testing

@Suite struct SafetensorsLayoutTests {
  private static let layout = SafetensorsLayout([
    .init(name: "z", dtype: .u8, shape: [1]),
    .init(name: "a", dtype: .bf16, shape: [3]),
    .init(name: "c", dtype: .f32, shape: []),
    .init(name: "b", dtype: .f32, shape: [2, 1]),
    .init(name: "B", dtype: .f32, shape: [0]),
    .init(name: "e", dtype: .bool, shape: [1]),
  ])

  @Test func widerTypesComeFirstThenNamesInByteOrder() {
    #expect(
      Self.layout.tensors == [
        TensorInfo(name: "B", dtype: .f32, shape: [0], dataRange: 0..<0),
        TensorInfo(name: "b", dtype: .f32, shape: [2, 1], dataRange: 0..<8),
        TensorInfo(name: "c", dtype: .f32, shape: [], dataRange: 8..<12),
        TensorInfo(name: "a", dtype: .bf16, shape: [3], dataRange: 12..<18),
        TensorInfo(name: "z", dtype: .u8, shape: [1], dataRange: 18..<19),
        TensorInfo(name: "e", dtype: .bool, shape: [1], dataRange: 19..<20),
      ])
    #expect(Self.layout.dataByteCount == 20)
  }

  @Test func theHeaderIsCompactAndPaddedToEightBytes() {
    let layout = SafetensorsLayout([
      .init(name: "w", dtype: .f16, shape: [2, 3]), .init(name: "n", dtype: .i64, shape: [1]),
    ])
    let text =
      #"{"__metadata__":{"format":"pt"},"#
      + #""n":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},"#
      + #""w":{"dtype":"F16","shape":[2,3],"data_offsets":[8,20]}}"#
    // 141 bytes of JSON, so three spaces make it 144.
    #expect(text.utf8.count == 141)
    let expected = [144, 0, 0, 0, 0, 0, 0, 0] + Array(text.utf8) + [0x20, 0x20, 0x20]
    #expect(layout.header(metadata: [("format", "pt")]) == expected)
  }

  @Test(arguments: [("name", 56), ("name5", 64)])
  func aHeaderOfWholeBlocksIsNotPadded(_ name: String, _ length: Int) {
    // 52 bytes of JSON around the name.
    let layout = SafetensorsLayout([.init(name: name, dtype: .u8, shape: [1])])
    #expect(layout.header(metadata: []).count == 8 + length)
  }

  @Test func theReaderFindsWhatTheWriterPlanned() throws {
    let header = Self.layout.header(metadata: [("k", "a \"quoted\" \n line"), ("j", "")])
    let read = try SafetensorsHeader(
      text: Array(header.dropFirst(8)), fileSize: header.count + Self.layout.dataByteCount)
    #expect(read.dataOffset == header.count)
    #expect(
      read.tensors.sorted { $0.name < $1.name } == Self.layout.tensors.sorted { $0.name < $1.name })
    #expect(read.metadata.map(\.name) == ["k", "j"])
    #expect(read.metadataValue("k") == "a \"quoted\" \n line")
    #expect(read.metadataValue("x") == nil)
  }

  /// The order in which the reference library aligns, and so writes, its types.
  @Test func typesAreOrderedAsTheReferenceWriterOrdersThem() {
    let names = DType.allCases.shuffled().sorted().map(\.rawValue)
    #expect(
      names == [
        "BOOL", "F4", "F6_E2M3", "F6_E3M2", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0",
        "F8_E4M3FNUZ", "F8_E5M2FNUZ", "I16", "U16", "F16", "BF16", "I32", "U32", "F32", "C64",
        "F64", "I64", "U64",
      ])
  }

  @Test func anEmptyLayoutIsAnEmptyObject() {
    let header = SafetensorsLayout([]).header(metadata: [])
    #expect(header == [8, 0, 0, 0, 0, 0, 0, 0] + Array("{}      ".utf8))
  }
}
