import Dispatch
import Stats
import TestSupport
import Testing

@testable import Convert

@Suite struct PatternTablesTests {
  /// Only reads, but for what is counted by `PatternTables`.
  private struct Work: @unchecked Sendable {
    let tables: PatternTables
    let pieces: [(tensor: Int, bytes: [UInt8])]
  }

  /// Several threads count two tensors in turns; tables are emptied on the way where few values fill them.
  @Test(arguments: [1 << 31, 150])
  func everyValueIsCountedOnce(_ limit: Int) {
    var noise = Noise(seed: 12)
    let tables = PatternTables(limit: limit)
    for _ in 0..<2 {
      let pieces = (0..<40).map { index in
        (
          tensor: index % 3 == 0 ? 1 : 0,
          bytes: (0..<200).map { _ in UInt8.random(in: 60...62, using: &noise) }
        )
      }
      let work = Work(tables: tables, pieces: pieces)
      DispatchQueue.concurrentPerform(iterations: pieces.count) { index in
        let piece = work.pieces[index]
        work.tables.count(piece.bytes, count: 100, of: piece.tensor, .bf16)
      }
      for tensor in [0, 1] {
        var naive: [UInt16: UInt64] = [:]
        for piece in pieces where piece.tensor == tensor {
          for index in 0..<100 {
            naive[
              UInt16(piece.bytes[2 * index]) | UInt16(piece.bytes[2 * index + 1]) << 8, default: 0] +=
              1
          }
        }
        var values = ValueAccumulator(ElementPatterns.bf16.values)
        tables.hand(tensor, to: &values)
        var found: [Float: UInt64] = [:]
        values.forEachValue { found[$0] = $1 }
        #expect(
          found
            == Dictionary(
              uniqueKeysWithValues: naive.map { (Float(bitPattern: UInt32($0) << 16), $1) }))
      }
      // What was handed over is forgotten.
      var nothing = ValueAccumulator(ElementPatterns.bf16.values)
      tables.hand(0, to: &nothing)
      #expect(Distribution(nothing).count == 0)
    }
  }
}
