import TestSupport
import Testing

@testable import Model

@Suite struct BPEModelTests {
  /// One merge at a time, found by looking at all neighbours.
  private func naive(_ symbols: [Int32], _ table: PairTable) -> [Int32] {
    var ids = symbols
    while true {
      var best: (rank: UInt64, index: Int, id: Int32)?
      for index in ids.indices.dropLast() {
        guard let merge = table[UInt64(ids[index]) << 32 | UInt64(ids[index + 1])] else { continue }
        if merge >> 32 < best?.rank ?? .max {
          best = (merge >> 32, index, Int32(merge & 0xFFFF_FFFF))
        }
      }
      guard let best else { return ids }
      ids.replaceSubrange(best.index...best.index + 1, with: [best.id])
    }
  }

  /// Few ids and many merges, so that merges overlap, repeat, and undo the plans of others.
  @Test(arguments: 0..<40)
  func theHeapMergesAsTheDefinition(_ seed: Int) {
    var noise = Noise(seed: UInt64(seed))
    var table = PairTable(capacity: 0)
    for rank in 0..<UInt64.random(in: 1...60, using: &noise) {
      let left = UInt64.random(in: 0..<8, using: &noise)
      let right = UInt64.random(in: 0..<8, using: &noise)
      table.set(left << 32 | right, rank << 32 | UInt64.random(in: 0..<8, using: &noise))
    }
    let symbols = (0..<Int.random(in: 0...40, using: &noise)).map { _ in
      Int32.random(in: 0..<8, using: &noise)
    }
    var queue = MergeQueue()
    queue.begin(capacity: symbols.count)
    for symbol in symbols { queue.append(symbol) }
    queue.merge(by: table)
    var merged: [Int32] = []
    queue.appendSymbols(to: &merged)
    #expect(merged == naive(symbols, table), "\(symbols)")
  }

  @Test func aTableGrowsAndKeepsTheLastValue() {
    var table = PairTable(capacity: 0)
    for key in UInt64(0)..<1000 { table.set(key * key, key) }
    for key in UInt64(0)..<1000 where key % 3 == 0 { table.set(key * key, key + 1) }
    #expect(table.count == 1000)
    for key in UInt64(0)..<1000 { #expect(table[key * key] == (key % 3 == 0 ? key + 1 : key)) }
    #expect(table[2] == nil)
  }

  /// Pieces that Swift's strings cannot tell apart, and one that comes twice.
  @Test func piecesAreToldApartByTheirBytes() {
    let pieces = ["é", "e\u{301}", "Å", "\u{212B}", "", "é"]
    var (bytes, ends): ([UInt8], [Int]) = ([], [])
    for piece in pieces {
      bytes += piece.utf8
      ends.append(bytes.count)
    }
    let vocabulary = Vocabulary(bytes: bytes, ends: ends, ids: [9, 8, 7, 6, 5, 4])
    #expect(vocabulary.count == 5)
    #expect(pieces.map { vocabulary.id(of: Array($0.utf8)) } == [4, 8, 7, 6, 5, 4])
    #expect(vocabulary.piece(8).map(Array.init) == Array("e\u{301}".utf8))
    #expect(vocabulary.piece(3) == nil && vocabulary.piece(10) == nil)
    #expect(vocabulary.largestId == 9)
  }

  /// Ids are the same whether pieces are found in the cache, or it was emptied in between.
  @Test func theCacheGivesWhatTheModelGives() {
    var cache = PieceCache()
    func found(_ piece: [UInt8]) -> [Int32]? {
      var ids: [Int32] = []
      let isKnown = cache.append(piece.span, key: cache.key(of: piece.span), to: &ids)
      return isKnown ? ids : nil
    }
    func insert(_ piece: [UInt8], _ ids: [Int32]) {
      cache.insert(piece.span, key: cache.key(of: piece.span), ids[...])
    }
    let known: [[Int32]] = [[1, 2], [], [3]]
    for (index, ids) in known.enumerated() {
      let piece = Array("piece \(index)".utf8)
      #expect(found(piece) == nil)
      insert(piece, ids)
      #expect(found(piece) == ids)
    }
    for number in 0..<40_000 { insert(Array("\(number)".utf8), [Int32(number)]) }
    #expect(found(Array("piece 0".utf8)) == nil)
    #expect(found(Array("39999".utf8)) == [39999])
  }
}
