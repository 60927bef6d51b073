import Formats
import Stats
import Testing

@testable import Convert

/// The second decoder, held against exact values where those can be written down.
@Suite struct RowCheckTests {
  @Test func firstAndLastRowAndSomeBetween() {
    #expect(RowCheck.rows(0) == [])
    #expect(RowCheck.rows(1) == [0])
    #expect(RowCheck.rows(2) == [0, 1])
    #expect(RowCheck.rows(100) == [0, 33, 66, 99])
  }

  /// 3-bit codes of docs/FORMAT.md's example, with a negative scale.
  @Test func decodesTheExampleOfTheFormat() throws {
    let folder = try TemporaryFolder()
    let layout = try #require(AffineLayout(bits: 3, groupSize: 32))
    let bytes: [UInt8] = Array([[0x39, 0x2A, 0x8F], [0x39, 0x2A, 0x8F]].joined())
    let row = bytes + bytes
    try writePacked(
      [
        (
          "p", layout,
          [
            TestTensor("p.weight", .u32, [1, 3], bytes: row),
            TestTensor("p.scales", .f16, [1, 1], values: [-0.25]),
            TestTensor("p.biases", .f16, [1, 1], values: [0.75]),
          ]
        )
      ], to: folder.path + "/p")
    let packed = try PackedCheckpoint(Checkpoint(path: folder.path + "/p"))
    let decoded = try PlainDecoder(packed.checkpoint).packedRow(
      0, of: packed.tensors[0], inputs: 32)
    let eight = [0.5, -1, 0.75, -0.5, 0.25, -0.75, 0, -0.25]
    #expect(decoded == eight + eight + eight + eight)
  }

  /// 8-bit floats, each with the scale of its block; 0x38 is 1 and 0x08 the smallest normal number.
  @Test func readsEightBitFloatsWithTheirScales() throws {
    let folder = try TemporaryFolder()
    var bytes = [UInt8](repeating: 0x38, count: 256 * 256)
    bytes[255 * 256 + 1] = 0x88
    try writeSafetensors(
      [
        TestTensor("p.weight", .f8E4M3, [256, 256], bytes: bytes),
        TestTensor("p.weight_scale_inv", .f32, [2, 2], values: [1, 2, 3, 4]),
      ], to: folder.path + "/model.safetensors")
    let checkpoint = try Checkpoint(path: folder.path + "/model.safetensors")
    let entry = Manifest.Entry(
      name: "p.weight", layout: .plain, sourceDType: .f8E4M3, sourceShape: [256, 256],
      order: .outputMajor, stored: [], error: nil)
    let decoder = PlainDecoder(checkpoint)
    let first = try #require(try decoder.sourceRow(0, of: entry, origin: nil))
    #expect(first[0] == 1 && first[127] == 1 && first[128] == 2 && first[255] == 2)
    let last = try #require(try decoder.sourceRow(255, of: entry, origin: nil))
    #expect(last[0] == 3 && last[1] == -3.0 / 64 && last[255] == 4)
  }

  /// Every half pattern that is a number, read as a source's weight.
  @Test func readsEveryHalf() throws {
    let folder = try TemporaryFolder()
    let codes = (0..<65536).flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
    for (dtype, exponent) in [(DType.f16, 0x7C00), (.bf16, 0x7F80)] {
      let path = folder.path + "/\(dtype.rawValue).safetensors"
      try writeSafetensors(
        [TestTensor("p.weight", dtype, [1, 65536], bytes: codes)], to: path)
      let entry = Manifest.Entry(
        name: "p.weight", layout: .plain, sourceDType: dtype, sourceShape: [1, 65536],
        order: .outputMajor, stored: [], error: nil)
      let row = try #require(
        try PlainDecoder(Checkpoint(path: path)).sourceRow(0, of: entry, origin: nil))
      for code in 0..<65536 where code & exponent != exponent {
        let expected =
          dtype == .f16
          ? Double(HalfPrecision.f16ToFloat(UInt16(code)))
          : Double(Float(bitPattern: UInt32(code) << 16))
        guard row[code] == expected else {
          Issue.record("\(dtype) \(code): \(row[code]), not \(expected)")
          break
        }
      }
    }
  }
}
