/// The symbols of a piece while they are merged: a linked list, and a heap of the merges that are
/// possible, in n log n steps for n symbols. Pieces can be whole texts.
struct MergeQueue {
  private var ids: [Int32] = []
  private var next: [Int32] = []
  private var previous: [Int32] = []
  /// The merge of each symbol with the next, as `PairTable` has it; `none` where there is none.
  private var merges: [UInt64] = []
  /// Rank in the upper half, symbol in the lower: the smallest is the lowest rank, leftmost among equals.
  private var heap: [UInt64] = []

  private static let none = UInt64.max

  mutating func begin(capacity: Int) {
    ids.removeAll(keepingCapacity: true)
    ids.reserveCapacity(capacity)
  }

  mutating func append(_ id: Int32) { ids.append(id) }

  /// Merges until no pair of neighbours is in `table`.
  mutating func merge(by table: PairTable) {
    let count = ids.count
    guard count > 1 else { return }
    next.removeAll(keepingCapacity: true)
    previous.removeAll(keepingCapacity: true)
    merges.removeAll(keepingCapacity: true)
    heap.removeAll(keepingCapacity: true)
    for symbol in 0..<count {
      next.append(symbol + 1 == count ? -1 : Int32(symbol + 1))
      previous.append(Int32(symbol - 1))
      merges.append(Self.none)
    }
    for symbol in 0..<count - 1 { enqueue(symbol, table) }
    while let entry = popLowest() {
      let left = Int(entry & 0xFFFF_FFFF)
      // Else something else became of this symbol or of the next since.
      guard merges[left] >> 32 == entry >> 32, merges[left] != Self.none else { continue }
      let right = Int(next[left])
      ids[left] = Int32(truncatingIfNeeded: merges[left] & 0xFFFF_FFFF)
      merges[right] = Self.none
      ids[right] = -1
      next[left] = next[right]
      if next[left] >= 0 {
        previous[Int(next[left])] = Int32(left)
        enqueue(left, table)
      } else {
        merges[left] = Self.none
      }
      if previous[left] >= 0 { enqueue(Int(previous[left]), table) }
    }
  }

  /// Notes what becomes of a symbol and the next one.
  private mutating func enqueue(_ symbol: Int, _ table: PairTable) {
    let right = ids[Int(next[symbol])]
    let pair = UInt64(UInt32(bitPattern: ids[symbol])) << 32 | UInt64(UInt32(bitPattern: right))
    guard let merge = table[pair] else {
      merges[symbol] = Self.none
      return
    }
    merges[symbol] = merge
    push(merge & ~0xFFFF_FFFF | UInt64(symbol))
  }

  /// Appends what is left, in order. A symbol that was merged into another is -1.
  func appendSymbols(to result: inout [Int32]) {
    for id in ids where id >= 0 { result.append(id) }
  }

  // MARK: - Heap

  private mutating func push(_ entry: UInt64) {
    heap.append(entry)
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard entry < heap[parent] else { break }
      heap[child] = heap[parent]
      child = parent
    }
    heap[child] = entry
  }

  private mutating func popLowest() -> UInt64? {
    guard let last = heap.popLast() else { return nil }
    guard let lowest = heap.first else { return last }
    var parent = 0
    while true {
      var child = 2 * parent + 1
      guard child < heap.count else { break }
      if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
      guard heap[child] < last else { break }
      heap[parent] = heap[child]
      parent = child
    }
    heap[parent] = last
    return lowest
  }
}
