import Foundation
import Stats

/// The counters of a pass over tensors of 16-bit types. They are kept from tile to tile, as many tables for a
/// tensor as threads count it at a time: adding up a table takes a good part of what counting a tile takes.
///
/// Sums of whole numbers do not depend on which thread counted what.
final class PatternTables {
  /// Values after which a table is emptied, so that no counter overflows.
  private let limit: Int
  private let lock = NSLock()
  // Guarded by `lock`.
  /// By tensor; those that no thread has.
  private var tables: [Int: [PatternCounts]] = [:]
  /// Of tables that were full.
  private var totals: [Int: ValueAccumulator] = [:]
  private var spare: [PatternCounts] = []

  init(limit: Int = 1 << 31) { self.limit = limit }

  /// Counts `count` patterns of a tensor, less than 2³¹, from the start of `bytes`; called from any thread.
  func count(
    _ bytes: [UInt8], count: Int, of tensor: Int, _ patterns: ElementPatterns
  ) {
    var table = takeTable(of: tensor)
    table.add(bytes, count: count)
    if table.valueCount >= limit {
      lock.lock()
      totals[tensor, default: ValueAccumulator(patterns.values)].add(table)
      lock.unlock()
      table.reset()
    }
    lock.lock()
    defer { lock.unlock() }
    // Not shared with this function, or the next one to count would copy it.
    tables[tensor, default: []].append(consume table)
  }

  private func takeTable(of tensor: Int) -> PatternCounts {
    lock.lock()
    defer { lock.unlock() }
    return tables[tensor]?.popLast() ?? spare.popLast() ?? PatternCounts()
  }

  /// Adds what was counted of a tensor that nobody counts any more, and forgets it.
  func hand(_ tensor: Int, to values: inout ValueAccumulator) {
    lock.lock()
    var found = tables.removeValue(forKey: tensor) ?? []
    let full = totals.removeValue(forKey: tensor)
    lock.unlock()
    if let full { values.merge(full) }
    for index in found.indices {
      values.add(found[index])
      found[index].reset()
    }
    lock.lock()
    defer { lock.unlock() }
    spare += found
  }
}
