import Convert
import Foundation

extension Arguments {
  /// What `--smooth` asks for; nil where it is not given.
  ///
  /// - Throws: `UsageError` for what is neither.
  func smoothing() throws(UsageError) -> ChannelSmoothing? {
    guard let text = value("smooth") else { return nil }
    if text == "auto" { return .automatic }
    guard let alpha = Double(text), (0...1).contains(alpha) else {
      throw UsageError(
        "--smooth takes a number from 0 to 1, or auto, not '\(text)'", hint: "as in --smooth 0.5")
    }
    return .alpha(alpha)
  }
}
