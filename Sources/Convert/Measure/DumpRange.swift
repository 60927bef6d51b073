/// What the first look at a dump's tensor tells, and the second needs.
struct DumpRange {
  var absMax: Float = 0
  /// Channels of a layer's inputs that are outliers, in order; none of the cache.
  var outliers: [Int] = []

  /// Runs of channels between the outliers.
  func rest(of channelCount: Int) -> [Range<Int>] {
    var runs: [Range<Int>] = []
    var start = 0
    for outlier in outliers + [channelCount] {
      if start < outlier { runs.append(start..<outlier) }
      start = outlier + 1
    }
    return runs
  }
}
