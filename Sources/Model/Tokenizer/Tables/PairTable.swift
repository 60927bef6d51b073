/// Numbers by numbers, in one array with open addressing: pairs of ids, or a node and a byte, in 64 bits.
struct PairTable: Sendable {
  /// Twice the slots: a key, then its value.
  private var slots: [UInt64]
  private(set) var count = 0
  private let hash = SeededHash.shared

  /// The key that marks an empty slot: as two ids, or as a node and a byte, it does not occur.
  private static let none = UInt64.max

  init(capacity: Int) {
    slots = Self.emptySlots(capacity: capacity)
  }

  private static func emptySlots(capacity: Int) -> [UInt64] {
    var slotCount = 16
    while slotCount < capacity + capacity / 2 { slotCount *= 2 }
    return [UInt64](repeating: none, count: 2 * slotCount)
  }

  @inline(__always)
  private static func start(_ hash: UInt64, _ slotCount: Int) -> Int {
    Int(truncatingIfNeeded: hash & UInt64(slotCount - 1))
  }

  @inline(__always)
  subscript(key: UInt64) -> UInt64? {
    let slotCount = slots.count / 2
    var slot = Self.start(hash.hash(key), slotCount)
    while true {
      let found = slots[2 * slot]
      if found == key { return slots[2 * slot + 1] }
      if found == Self.none { return nil }
      slot = (slot + 1) & (slotCount - 1)
    }
  }

  /// Puts `value` in the place of what `key` had.
  mutating func set(_ key: UInt64, _ value: UInt64) {
    precondition(key != Self.none)
    if 3 * count >= slots.count {
      let old = slots
      slots = Self.emptySlots(capacity: 2 * count)
      count = 0
      for slot in stride(from: 0, to: old.count, by: 2) where old[slot] != Self.none {
        set(old[slot], old[slot + 1])
      }
    }
    let slotCount = slots.count / 2
    var slot = Self.start(hash.hash(key), slotCount)
    while slots[2 * slot] != Self.none, slots[2 * slot] != key {
      slot = (slot + 1) & (slotCount - 1)
    }
    if slots[2 * slot] == Self.none { count += 1 }
    slots[2 * slot] = key
    slots[2 * slot + 1] = value
  }
}
