import Formats
import Testing

@Suite struct AffineLayoutTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let type: ScaleType
    let groupSize: Int
    let bits: Int
    var testDescription: String { "\(type.rawValue), \(bits) bits, groups of \(groupSize)" }

    static let all = ScaleType.allCases.flatMap { type in
      AffineLayout.allowedGroupSizes.flatMap { groupSize in
        AffineLayout.allowedBits.map { Case(type: type, groupSize: groupSize, bits: $0) }
      }
    }

    func file() throws -> SafetensorsFile {
      try SafetensorsFile(
        path: SharedFixture.path(
          "mlx/affine_\(type.rawValue.lowercased())_g\(groupSize).safetensors"))
    }
  }

  @Test(arguments: Case.all)
  func decodesWhatMLXPackedBitForBit(_ test: Case) throws {
    let file = try test.file()
    let layout = try #require(AffineLayout(bits: test.bits, groupSize: test.groupSize))
    let expected = try file.tensor("b\(test.bits).dequantized")
    #expect(expected.dtype == test.type.dtype)
    let count = expected.elementCount
    var codes = [UInt8](repeating: 0, count: count)
    layout.unpack(try file.bytes("b\(test.bits).weight"), count: count, into: &codes)
    var weights = [Float](repeating: .nan, count: count)
    layout.dequantize(
      codes: codes, scales: try file.floats("b\(test.bits).scales"),
      biases: try file.floats("b\(test.bits).biases"), groupCount: count / test.groupSize,
      in: test.type, into: &weights)
    let wanted = try file.floats("b\(test.bits).dequantized")
    let wrong = (0..<count).count { weights[$0].bitPattern != wanted[$0].bitPattern }
    #expect(wrong == 0, "\(wrong) of \(count) weights differ")
  }

  @Test(arguments: Case.all.filter { $0.type == .bf16 })
  func packingUndoesUnpacking(_ test: Case) throws {
    let packed = try test.file().bytes("b\(test.bits).weight")
    let layout = try #require(AffineLayout(bits: test.bits, groupSize: test.groupSize))
    let count = packed.count * 8 / test.bits
    var codes = [UInt8](repeating: 0, count: count)
    layout.unpack(packed, count: count, into: &codes)
    #expect(codes.allSatisfy { Int($0) <= layout.largestCode })
    var again = [UInt8](repeating: 0xAA, count: packed.count)
    layout.pack(codes, count: count, into: &again)
    #expect(again == packed)
  }

  /// Code `i` takes the bits from `i * bits` on of one little-endian stream.
  @Test(
    arguments: [
      (2, [1, 2, 3, 0, 0, 0, 0, 2], [0b00_11_10_01, 0b10_00_00_00]),
      (3, [1, 2, 3, 0, 0, 0, 0, 7], [0b11_010_001, 0b0000_0000, 0b111_00000]),
      (4, [1, 2, 0, 0, 0, 0, 0, 15], [0x21, 0, 0, 0xF0]),
      (8, [1, 2, 3, 4, 5, 6, 7, 255], [1, 2, 3, 4, 5, 6, 7, 255]),
    ] as [(Int, [UInt8], [UInt8])])
  func theFirstCodeTakesTheLowestBits(_ bits: Int, _ codes: [UInt8], _ bytes: [UInt8]) throws {
    let layout = try #require(AffineLayout(bits: bits, groupSize: 32))
    var packed = [UInt8](repeating: 0xAA, count: bytes.count)
    layout.pack(codes, count: 8, into: &packed)
    #expect(packed == bytes)
  }

  @Test(arguments: [(1, 64), (7, 64), (4, 16), (4, 0), (0, 64), (-4, 64), (16, 64)])
  func layoutsThatMLXLacksDoNotExist(_ bits: Int, _ groupSize: Int) {
    #expect(AffineLayout(bits: bits, groupSize: groupSize) == nil)
  }

  @Test func sizesFollowFromBitsAndGroup() throws {
    let layout = try #require(AffineLayout(bits: 3, groupSize: 64))
    #expect(layout.largestCode == 7)
    #expect(layout.bytesPerGroup == 24)
  }
}
