/// The pieces of a model and their ids, by the bytes of the pieces: as strings, two spellings that are
/// canonically equivalent would be one.
struct Vocabulary: Sendable {
  /// All pieces, one after the other.
  private let bytes: [UInt8]
  /// Where each entry begins, and where the last one ends.
  private let starts: [Int]
  private let ids: [Int32]
  /// The upper half of a piece's hash, and its entry; open addressing.
  private let slots: [UInt64]
  /// Entries in the order of their ids; of those with one id, the last is found.
  private let byId: [Int32]
  /// Pieces that differ.
  let count: Int
  private let hash = SeededHash.shared

  private static let none = UInt64.max

  /// - Parameters:
  ///   - bytes: all pieces, one after the other.
  ///   - ends: where each ends.
  ///   - ids: their ids. Of a piece that occurs twice, the last one counts.
  init(bytes: [UInt8], ends: [Int], ids: [Int32]) {
    precondition(ends.count == ids.count && ids.count < Int(Int32.max))
    self.bytes = bytes
    self.ids = ids
    let starts = [0] + ends
    self.starts = starts
    var slotCount = 16
    while slotCount < 2 * ids.count { slotCount *= 2 }
    var slots = [UInt64](repeating: Self.none, count: slotCount)
    var count = 0
    let span = bytes.span
    for entry in ids.indices {
      let piece = span.extracting(starts[entry]..<starts[entry + 1])
      let hash = SeededHash.shared.hash(piece)
      let found = Self.slot(of: piece, hash, in: slots.span, starts.span, span)
      if slots[found] == Self.none { count += 1 }
      slots[found] = hash & ~0xFFFF_FFFF | UInt64(entry)
    }
    let isSorted = zip(ids, ids.dropFirst()).allSatisfy { $0 <= $1 }
    var byId = Array(0..<Int32(ids.count))
    if !isSorted { byId.sort { (ids[Int($0)], $0) < (ids[Int($1)], $1) } }
    self.byId = byId
    self.slots = slots
    self.count = count
  }

  /// The slot that holds `piece`, or the empty one where it belongs.
  @inline(__always)
  private static func slot(
    of piece: Span<UInt8>, _ hash: UInt64, in slots: Span<UInt64>,
    _ starts: Span<Int>, _ bytes: Span<UInt8>
  ) -> Int {
    var slot = Int(truncatingIfNeeded: hash & UInt64(slots.count - 1))
    while slots[slot] != none {
      if (slots[slot] ^ hash) >> 32 == 0 {
        let entry = Int(slots[slot] & 0xFFFF_FFFF)
        if piece.isEqual(to: bytes.extracting(starts[entry]..<starts[entry + 1])) { return slot }
      }
      slot = (slot + 1) & (slots.count - 1)
    }
    return slot
  }

  /// The id of `piece`, nil where it is none.
  func id(of piece: Span<UInt8>) -> Int32? {
    let slot = Self.slot(of: piece, hash.hash(piece), in: slots.span, starts.span, bytes.span)
    return slots[slot] == Self.none ? nil : ids[Int(slots[slot] & 0xFFFF_FFFF)]
  }

  func id(of piece: [UInt8]) -> Int32? { id(of: piece.span) }

  /// The piece with this id, nil where none has it.
  func piece(_ id: Int32) -> ArraySlice<UInt8>? {
    var (low, high) = (0, byId.count)
    while low < high {
      let middle = (low + high) / 2
      if ids[Int(byId[middle])] <= id { low = middle + 1 } else { high = middle }
    }
    guard low > 0, ids[Int(byId[low - 1])] == id else { return nil }
    return self[Int(byId[low - 1])]
  }

  var largestId: Int32? { byId.last.map { ids[Int($0)] } }

  // MARK: - In the order of the file

  var indices: Range<Int> { ids.indices }

  subscript(entry: Int) -> ArraySlice<UInt8> { bytes[starts[entry]..<starts[entry + 1]] }

  func id(at entry: Int) -> Int32 { ids[entry] }
}
