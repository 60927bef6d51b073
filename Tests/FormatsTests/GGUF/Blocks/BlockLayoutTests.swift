import Formats
import Testing

/// Blocks of GGUF types against what ggml decodes them to.
@Suite struct BlockLayoutTests {
  static let legacy: [GGMLType] = [.q4_0, .q4_1, .q5_0, .q5_1, .q8_0]
  static let kTypes: [GGMLType] = [.q2_K, .q3_K, .q4_K, .q5_K, .q6_K]
  static let tables: [GGMLType] = [.iq4_NL, .iq4_XS, .mxfp4, .nvfp4]

  /// The vectors of a type: blocks, and what ggml decodes them to as bit patterns.
  static func vectors(_ type: GGMLType) throws
    -> [(name: String, blocks: [UInt8], words: [UInt32])]
  {
    let file =
      legacy.contains(type) ? "legacy" : kTypes.contains(type) ? "k" : "tables"
    let vectors = try Fixture.open("gguf/blocks_\(file).safetensors")
    return try ["", "random_"].compactMap { prefix in
      let name = "\(type.name).\(prefix)blocks"
      guard vectors.header.tensors.contains(where: { $0.name == name }) else { return nil }
      return (
        name, try vectors.bytes(name), try vectors.words("\(type.name).\(prefix)dequantized")
      )
    }
  }

  @Test(arguments: legacy + kTypes + tables)
  func blocksDecodeAsInGGML(_ type: GGMLType) throws {
    let layout = try #require(BlockLayout(type))
    let vectors = try Self.vectors(type)
    #expect(vectors.count == (Self.kTypes.contains(type) ? 2 : 1))
    for (name, blocks, words) in vectors {
      let count = blocks.count / type.blockByteCount
      try #require(count * type.blockLength == words.count)
      var groups = PackedGroups()
      layout.decode(blocks, groupCount: count, part: 0, into: &groups)
      var weights = [Float](repeating: 7, count: words.count)
      layout.dequantize(groups, groupCount: count, into: &weights)
      let wrong = words.indices.filter { weights[$0].bitPattern != words[$0] }
      #expect(wrong.isEmpty, "\(name): \(wrong.count), first at \(wrong.first ?? 0)")
    }
  }

  /// Every bit of codes has its place: other codes and back are the same bytes, and what lies between are
  /// blocks of the same scales.
  @Test(arguments: legacy + kTypes + tables)
  func codesArePackedApartFromScales(_ type: GGMLType) throws {
    let layout = try #require(BlockLayout(type))
    for (name, blocks, _) in try Self.vectors(type) {
      let count = blocks.count / type.blockByteCount
      var groups = PackedGroups()
      layout.decode(blocks, groupCount: count, part: 0, into: &groups)
      var noise = Noise(seed: 5)
      let codes = groups.codes.map { _ in
        UInt8.random(in: 0...UInt8(layout.codeCount - 1), using: &noise)
      }
      var changed = blocks
      layout.packCodes(codes, blockCount: count, into: &changed)
      var others = PackedGroups()
      layout.decode(changed, groupCount: count, part: 0, into: &others)
      #expect(others.codes == codes, "\(name)")
      #expect(others.scales.map(\.bitPattern) == groups.scales.map(\.bitPattern), "\(name)")
      #expect(others.biases.map(\.bitPattern) == groups.biases.map(\.bitPattern), "\(name)")
      layout.packCodes(groups.codes, blockCount: count, into: &changed)
      #expect(changed == blocks, "\(name)")
    }
  }

  @Test func onlyTypesWithCodesHaveALayout() {
    let none = GGMLType.allCases.filter { BlockLayout($0) == nil }
    #expect(
      none == [
        .f32, .f16, .iq2_XXS, .iq2_XS, .iq3_XXS, .iq1_S, .iq3_S, .iq2_S, .i8, .i16, .i32, .i64,
        .f64, .iq1_M, .bf16, .tq1_0, .tq2_0,
      ])
    // No type is both.
    #expect(GGMLType.allCases.allSatisfy { $0.dtype == nil || BlockLayout($0) == nil })
  }

  /// Worked out by hand: half a block of Q4_1 with scale 2 and bias -3, codes 0 to 15, then 15 to 0.
  @Test func aBlockByHand() throws {
    let layout = try #require(BlockLayout(.q4_1))
    let codes: [UInt8] = (0..<16).map { $0 | (15 - $0) << 4 }
    let bytes = [0x00, 0x40, 0x00, 0xC2] + codes
    var groups = PackedGroups()
    layout.decode(bytes, groupCount: 1, part: 0, into: &groups)
    #expect(groups.scales[0] == 2 && groups.biases[0] == -3)
    var weights = [Float](repeating: 0, count: 32)
    layout.dequantize(groups, groupCount: 1, into: &weights)
    for index in 0..<16 {
      #expect(weights[index] == Float(2 * index - 3))
      #expect(weights[16 + index] == Float(27 - 2 * index))
    }
  }
}
