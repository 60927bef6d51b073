import Convert
import Stats

/// The logarithmic axis of magnitudes that the histograms of several layers share.
struct MagnitudeAxis {
  /// Bins of `LogHistogram`. What lies below the first is drawn in the first column.
  private let bins: Range<Int>
  private let binsPerColumn: Int
  /// Largest count in any column of any histogram.
  private(set) var largest = 0

  /// - Parameter width: columns that there is room for.
  init(_ histograms: [LogHistogram], width: Int) {
    let filled = histograms.filter { !$0.counts.isEmpty }
    let end = filled.map { $0.firstBin + $0.counts.count }.max() ?? 0
    // Tiny values are many octaves wide and tell nothing: the axis begins where a thousandth lies
    // below in every histogram.
    let first = filled.map { Self.firstBin($0) }.min() ?? 0
    bins = first..<max(end, first)
    binsPerColumn = max(1, (bins.count + width - 1) / max(1, width))
    largest = histograms.map { counts($0).max() ?? 0 }.max() ?? 0
  }

  private static func firstBin(_ histogram: LogHistogram) -> Int {
    let limit = histogram.counts.reduce(0, +) / 1000
    var below = 0
    for (index, count) in histogram.counts.enumerated() {
      below += count
      if below > limit { return histogram.firstBin + index }
    }
    return histogram.firstBin
  }

  /// Counts by column.
  func counts(_ histogram: LogHistogram) -> [Int] {
    var columns = [Int](repeating: 0, count: (bins.count + binsPerColumn - 1) / binsPerColumn)
    guard !columns.isEmpty else { return [] }
    for (index, count) in histogram.counts.enumerated() {
      let bin = histogram.firstBin + index - bins.lowerBound
      columns[max(0, min(bin / binsPerColumn, columns.count - 1))] += count
    }
    return columns
  }

  /// Smallest and largest magnitude, `0.0210 |x| 4.00`, spread over the columns.
  var label: String {
    guard !bins.isEmpty else { return "" }
    let low = figure(Double(LogHistogram.lowerEdge(ofBin: bins.lowerBound)))
    let high = figure(Double(LogHistogram.lowerEdge(ofBin: bins.upperBound)))
    let width = (bins.count + binsPerColumn - 1) / binsPerColumn
    let gap = max(2, width - low.count - high.count - 3)
    func space(_ count: Int) -> String { String(repeating: " ", count: count) }
    return low + space(gap / 2) + "|x|" + space(gap - gap / 2) + high
  }
}
