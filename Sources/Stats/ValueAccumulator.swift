/// Everything about a run of values that does not depend on where they stand: mergeable, and exact
/// for 16-bit types whatever the order.
///
/// Patterns are counted. For F32 values (and what was decoded to them) the patterns are bins; count,
/// extremes, zeros, subnormals, NaN and infinities are exact beside them, and moments are merged
/// from tile to tile in `Double`.
package struct ValueAccumulator: Sendable {
  package let patterns: PatternValues
  private(set) var counts: [UInt64]
  // Only for values that were binned; patterns that are numbers say all of this themselves.
  private(set) var moments = Moments()
  private(set) var minimum = Float.infinity
  private(set) var maximum = -Float.infinity
  private(set) var zeroCount = 0
  private(set) var subnormalCount = 0
  private(set) var nanCount = 0
  private(set) var positiveInfinityCount = 0
  private(set) var negativeInfinityCount = 0

  package init(_ patterns: PatternValues) {
    self.patterns = patterns
    counts = Array(repeating: 0, count: patterns.values.count)
  }

  /// Forgets everything, and keeps the memory.
  package mutating func reset() {
    var table = counts.mutableSpan
    for index in 0..<table.count { table[index] = 0 }
    moments = Moments()
    (minimum, maximum) = (.infinity, -.infinity)
    (zeroCount, subnormalCount, nanCount) = (0, 0, 0)
    (positiveInfinityCount, negativeInfinityCount) = (0, 0)
  }

  /// Adds what was counted of the same patterns.
  package mutating func add(_ found: PatternCounts) {
    precondition(patterns.isExact)
    let source = found.counts.span
    var table = counts.mutableSpan
    for index in 0..<source.count { table[index] &+= UInt64(source[index]) }
  }

  /// Bins F32 values, `count` of them from the start of `values`.
  package mutating func add(floats values: [Float], count: Int) {
    precondition(!patterns.isExact && values.count >= count)
    let source = values.span
    for index in 0..<count {
      let value = source[index]
      guard value.isFinite else {
        if value.isNaN {
          nanCount += 1
        } else if value > 0 {
          positiveInfinityCount += 1
        } else {
          negativeInfinityCount += 1
        }
        continue
      }
      counts[Int(value.bitPattern >> 16)] &+= 1
      minimum = min(minimum, value)
      maximum = max(maximum, value)
      if value == 0 { zeroCount += 1 } else if value.isSubnormal { subnormalCount += 1 }
    }
    moments.merge(
      Moments { add in
        for index in 0..<count where source[index].isFinite { add(Double(source[index]), 1) }
      })
  }

  /// Adds what `other` saw of the same patterns.
  package mutating func merge(_ other: ValueAccumulator) {
    precondition(patterns.isExact == other.patterns.isExact)
    let source = other.counts.span
    var table = counts.mutableSpan
    for index in 0..<source.count { table[index] &+= source[index] }
    moments.merge(other.moments)
    minimum = min(minimum, other.minimum)
    maximum = max(maximum, other.maximum)
    zeroCount += other.zeroCount
    subnormalCount += other.subnormalCount
    nanCount += other.nanCount
    positiveInfinityCount += other.positiveInfinityCount
    negativeInfinityCount += other.negativeInfinityCount
  }

  /// Calls `body` with every finite value that occurs and how often, from the smallest to the
  /// largest. Negative zero and zero come one after the other.
  package func forEachValue(_ body: (_ value: Float, _ count: UInt64) -> Void) {
    for position in 0..<counts.count {
      let pattern = PatternValues.ascending(position)
      let count = counts[pattern]
      guard count > 0 else { continue }
      let value = patterns.values[pattern]
      if value.isFinite { body(value, count) }
    }
  }

  /// As `forEachValue`, with the magnitudes.
  func forEachMagnitude(_ body: (_ magnitude: Float, _ count: UInt64) -> Void) {
    for pattern in 0..<0x8000 {
      let count = counts[pattern] + counts[pattern | 0x8000]
      guard count > 0 else { continue }
      let value = patterns.values[pattern]
      if value.isFinite { body(value, count) }
    }
  }

  /// Counts of the patterns that are no finite number, where patterns are exact.
  func countNonFinite() -> (nan: Int, positive: Int, negative: Int) {
    guard patterns.isExact else {
      return (nanCount, positiveInfinityCount, negativeInfinityCount)
    }
    var result = (nan: 0, positive: 0, negative: 0)
    for (pattern, count) in counts.enumerated() where count > 0 {
      let value = patterns.values[pattern]
      if value.isNaN {
        result.nan += Int(count)
      } else if value == .infinity {
        result.positive += Int(count)
      } else if value == -.infinity {
        result.negative += Int(count)
      }
    }
    return result
  }
}
