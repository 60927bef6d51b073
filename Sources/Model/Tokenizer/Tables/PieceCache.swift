/// The ids of short pieces that were met before. Text has few different words.
///
/// One that is full is emptied: what is common comes back at once. It belongs to one thread and to one
/// tokenizer.
package struct PieceCache {
  private struct Slot {
    /// 0 where the slot is empty.
    var hash: UInt64 = 0
    var keyStart: UInt32 = 0
    var idStart: UInt32 = 0
    var keyCount: UInt16 = 0
    var idCount: UInt16 = 0
  }

  /// None until something is kept.
  private var slots: [Slot] = []
  private var keys: [UInt8] = []
  private var ids: [Int32] = []
  private var count = 0
  private let hash = SeededHash.shared

  /// Longest piece that is kept, in bytes.
  static let longest = 96
  /// A byte can have several ids where a prefix of the model comes before each.
  private static let mostIds = 256
  private static let slotCount = 1 << 16
  private static let entryLimit = slotCount / 2

  package init() {}

  @inline(__always)
  func key(of piece: Span<UInt8>) -> UInt64 { hash.hash(piece) | 1 }

  /// Appends the ids of `piece` if they are known.
  @inline(__always)
  func append(_ piece: Span<UInt8>, key: UInt64, to result: inout [Int32]) -> Bool {
    if slots.isEmpty { return false }
    var index = Self.start(key)
    while slots[index].hash != 0 {
      let slot = slots[index]
      if slot.hash == key, Int(slot.keyCount) == piece.count,
        matches(piece, at: Int(slot.keyStart))
      {
        for id in Int(slot.idStart)..<Int(slot.idStart) + Int(slot.idCount) {
          result.append(ids[id])
        }
        return true
      }
      index = (index + 1) & (Self.slotCount - 1)
    }
    return false
  }

  private static func start(_ key: UInt64) -> Int {
    Int(truncatingIfNeeded: key >> 1) & (slotCount - 1)
  }

  @inline(__always)
  private func matches(_ piece: Span<UInt8>, at start: Int) -> Bool {
    for i in piece.indices where piece[i] != keys[start + i] { return false }
    return true
  }

  /// Keeps the ids of a piece that was not there.
  mutating func insert(_ piece: Span<UInt8>, key: UInt64, _ new: ArraySlice<Int32>) {
    guard piece.count <= Self.longest, new.count <= Self.mostIds else { return }
    if count == Self.entryLimit { self = PieceCache() }
    if slots.isEmpty { slots = [Slot](repeating: Slot(), count: Self.slotCount) }
    var index = Self.start(key)
    while slots[index].hash != 0 { index = (index + 1) & (Self.slotCount - 1) }
    slots[index] = Slot(
      hash: key, keyStart: UInt32(keys.count), idStart: UInt32(ids.count),
      keyCount: UInt16(piece.count), idCount: UInt16(new.count))
    keys.append(piece)
    ids.append(contentsOf: new)
    count += 1
  }
}
