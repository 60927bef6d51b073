/// Smallest and largest weights of eight sub-blocks, and what all weights count.
struct SubBlockRange {
  var low = Lanes.zero
  var high = Lanes.zero
  var total = Lanes.zero

  /// Of the same weights with the other sign.
  var negated: SubBlockRange { SubBlockRange(low: -high, high: -low, total: total) }
}
