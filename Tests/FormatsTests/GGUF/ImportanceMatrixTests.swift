import Formats
import Testing

/// Expected values were worked out with numpy in float32 from the fixtures' bytes.
@Suite struct ImportanceMatrixTests {
  @Test func theGGUFFormIsRead() throws {
    let matrix = try ImportanceMatrix(path: Fixture.path("gguf/imatrix.gguf"))
    #expect(matrix.datasets == ["calibration.txt"])
    #expect(matrix.chunkCount == 7)
    #expect(matrix.chunkSize == 512)
    #expect(
      matrix.entries.map(\.name) == [
        "blk.0.attn_q.weight", "blk.0.ffn_down.weight", "blk.1.ffn_up_exps.weight",
      ])
    #expect(matrix.entries.map(\.matrixCount) == [1, 1, 3])
    #expect(matrix.entries.map(\.channelCount) == [64, 128, 64])
    #expect(matrix.entries.map(\.tokenCounts) == [[3584], [3584], [512, 0, 1024]])
    #expect(matrix.entries.map(\.meanSquares.count) == [64, 128, 192])
    let experts = matrix.entries[2].meanSquares
    #expect(bits(matrix.entries[0].meanSquares) == [0x3e79_c443, 0x3e20_4111, 0x3e11_29ea])
    #expect(bits(matrix.entries[1].meanSquares) == [0x3de1_0d5e, 0x3e5d_29a0, 0x3db0_9285])
    #expect(bits(Array(experts[..<64])) == [0x3fa1_1b6f, 0x3fe6_b85a, 0x3ff5_a350])
    #expect(bits(Array(experts[128...])) == [0x3ed0_d188, 0x3f5b_f4d5, 0x3eec_accb])
    // All bits of all values, each in one number.
    #expect(parity(matrix.entries[0].meanSquares) == 0x02d5_d5e4)
    #expect(parity(matrix.entries[1].meanSquares) == 0x0480_0557)
    #expect(parity(Array(experts[..<64])) == 0x002d_5b28)
    #expect(parity(Array(experts[128...])) == 0x0270_719f)
  }

  /// The file has sums for the second expert, and no token that they could be of.
  @Test func anUnseenExpertStaysVisible() throws {
    let entry = try ImportanceMatrix(path: Fixture.path("gguf/imatrix.gguf")).entries[2]
    #expect((0..<3).map { entry.isSeen(matrix: $0) } == [true, false, true])
    #expect(entry.meanSquares[64..<128].reduce(0, +) == 0)
  }

  @Test func theOlderFormIsRead() throws {
    let matrix = try ImportanceMatrix(path: Fixture.path("gguf/imatrix_legacy.dat"))
    #expect(matrix.datasets == ["calibration.txt"])
    #expect(matrix.chunkCount == 7)
    #expect(matrix.chunkSize == nil)
    #expect(
      matrix.entries.map(\.name) == ["blk.0.attn_q.weight", "blk.0.ffn_down.weight"])
    #expect(matrix.entries.map(\.channelCount) == [64, 128])
    #expect(matrix.entries.allSatisfy { $0.matrixCount == 1 && $0.tokenCounts == nil })
    #expect(matrix.entries[0].isSeen(matrix: 0))
    #expect(bits(matrix.entries[0].meanSquares) == [0x3f52_071a, 0x3eb5_0318, 0x3dc8_22be])
    #expect(bits(matrix.entries[1].meanSquares) == [0x3e93_3225, 0x3cf9_d5d0, 0x3d53_cb9b])
    #expect(parity(matrix.entries[0].meanSquares) == 0x066f_4897)
    #expect(parity(matrix.entries[1].meanSquares) == 0x0130_ade7)
  }

  @Test func anOlderFileMayEndWithItsEntries() throws {
    let bytes = little(Int32(1)) + ImportanceDamage.legacyEntry("x", calls: 0, [0, 0.25])
    let matrix = try ImportanceMatrix(path: directory.write(bytes, to: "x.dat"))
    #expect(matrix.chunkCount == nil && matrix.datasets.isEmpty)
    // Without a number of calls the values are the means.
    #expect(matrix.entries[0].meanSquares == [0, 0.25])
    #expect(matrix.entries[0].isSeen(matrix: 0))
  }

  @Test func anOlderEntryOfZerosWasNotSeen() throws {
    let bytes = little(Int32(1)) + ImportanceDamage.legacyEntry("x", calls: 3, [0, 0])
    let matrix = try ImportanceMatrix(path: directory.write(bytes, to: "x.dat"))
    #expect(matrix.entries[0].isSeen(matrix: 0) == false)
  }

  /// ggml leaves out trailing dimensions of 1, and newer writers add sums of x.
  @Test func dimensionsMayBeLeftOutAndOtherTensorsAdded() throws {
    var builder = ImportanceDamage.sound
    builder.tensors = []
    builder.data = []
    builder.add("x.in_sum2", [2], [3, 6])
    builder.add("x.in_sum", [2], [-3, 6])
    builder.add("x.counts", [1], [3])
    let matrix = try ImportanceMatrix(path: directory.write(builder.bytes, to: "x.gguf"))
    #expect(matrix.entries.map(\.name) == ["x"])
    #expect(matrix.entries[0].meanSquares == [1, 2])
    #expect(matrix.entries[0].tokenCounts == [3])
  }

  /// More values than the 16384 that are read at a time.
  @Test func aLongEntryIsReadWhole() throws {
    let values = (0..<40_000).map { Float($0) }
    let bytes = little(Int32(1)) + ImportanceDamage.legacyEntry("x", calls: 2, values)
    let matrix = try ImportanceMatrix(path: directory.write(bytes, to: "x.dat"))
    #expect(matrix.entries[0].meanSquares.count == 40_000)
    let isHalved = zip(matrix.entries[0].meanSquares, values).allSatisfy { $0 * 2 == $1 }
    #expect(isHalved)
  }

  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  /// The first two values and the last.
  private func bits(_ values: [Float]) -> [UInt32] {
    [values[0], values[1], values[values.count - 1]].map(\.bitPattern)
  }

  private func parity(_ values: [Float]) -> UInt32 { values.reduce(0) { $0 ^ $1.bitPattern } }
}
