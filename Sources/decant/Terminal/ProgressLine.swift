import Foundation

/// The text of a progress bar at one moment.
struct ProgressLine: Sendable, Equatable {
  let title: String
  let doneBytes: Int
  /// 0 where there is nothing to do.
  let totalBytes: Int
  let elapsedSeconds: Double

  /// `Converting ████░░░░   42%  1.20 GB of 2.90 GB  310 MB/s  0:06 left`, shorter than `width` so
  /// that no terminal wraps it. Where room is short the bar goes first, then the end of the line.
  func text(width: Int, isUnicode: Bool) -> String {
    let room = width - 1 - displayWidth(title) - displayWidth(facts) - 3
    guard room >= 8 else { return String(plainText.prefix(max(0, width - 1))) }
    return "\(title) \(bar(width: min(room, 40), isUnicode: isUnicode))  \(facts)"
  }

  /// The same without a bar, however wide, for a log.
  var plainText: String { "\(title)  \(facts)" }

  private var facts: String {
    [percentText, amountText, rateText, timeLeftText].compactMap(\.self).joined(separator: "  ")
  }

  private var fraction: Double {
    totalBytes > 0 ? min(1, Double(doneBytes) / Double(totalBytes)) : 1
  }

  private var percentText: String {
    // Rounded down, so that 100% means done.
    let percent = "\(Int(fraction * 100))%"
    return String(repeating: " ", count: 4 - percent.count) + percent
  }

  private var amountText: String {
    "\(ByteSize(bytes: doneBytes).text) of \(ByteSize(bytes: totalBytes).text)"
  }

  /// The average since the start; `nil` while it would be a guess.
  private var bytesPerSecond: Double? {
    guard elapsedSeconds >= 0.5, doneBytes > 0 else { return nil }
    return Double(doneBytes) / elapsedSeconds
  }

  private var rateText: String? {
    bytesPerSecond.map { "\(ByteSize(bytes: Int($0)).text)/s" }
  }

  private var timeLeftText: String? {
    guard let bytesPerSecond, doneBytes < totalBytes else { return nil }
    let seconds = Int(
      min((Double(totalBytes - doneBytes) / bytesPerSecond).rounded(.up), 359_999))
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60)
    return hours > 0
      ? String(format: "%d:%02d:%02d left", hours, minutes, seconds % 60)
      : String(format: "%d:%02d left", minutes, seconds % 60)
  }

  private func bar(width: Int, isUnicode: Bool) -> String {
    let filled = Int(fraction * Double(width))
    let (full, empty) = isUnicode ? ("█", "░") : ("#", "-")
    return String(repeating: full, count: filled)
      + String(repeating: empty, count: width - filled)
  }
}
