import Foundation

/// Counts as a row of blocks, or as bars several rows high. Heights are logarithmic, so that a single
/// value still shows beside millions; no count, no mark.
struct BarChart: Sendable {
  let isUnicode: Bool

  private static let blocks: [Character] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]
  private static let letters: [Character] = [" ", ".", ":", "-", "=", "+", "*", "#", "@"]
  /// Marks for heights from nothing to a full line.
  private var marks: [Character] { isUnicode ? Self.blocks : Self.letters }
  private static let steps = 8

  /// One character for each count, scaled to `largest` of several charts.
  func row(_ counts: [Int], largest: Int) -> String {
    String(counts.map { marks[Self.height($0, largest: largest, steps: Self.steps)] })
  }

  /// Lines from the top, each as long as there are counts.
  func bars(_ counts: [Int], lines: Int) -> [String] {
    let largest = counts.max() ?? 0
    let heights = counts.map { Self.height($0, largest: largest, steps: lines * Self.steps) }
    return (0..<lines).reversed().map { line in
      String(heights.map { marks[min(max($0 - line * Self.steps, 0), Self.steps)] })
    }
  }

  /// 0 for no count, 1 for a count of 1, `steps` for the largest.
  private static func height(_ count: Int, largest: Int, steps: Int) -> Int {
    guard count > 0, largest > 1 else { return count > 0 ? steps : 0 }
    let share = log(Double(count)) / log(Double(largest))
    return 1 + Int((share * Double(steps - 1)).rounded())
  }
}
