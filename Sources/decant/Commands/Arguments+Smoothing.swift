import Convert
import Foundation

extension Arguments {
  /// What `--smooth` asks for; nil where it is not given.
  ///
  /// - Throws: `UsageError` for what is neither, and beside what channels cannot be scaled for.
  func smoothing() throws(UsageError) -> ChannelSmoothing? {
    guard let text = value("smooth") else { return nil }
    for option in ["adapter", "requantize"] where isGiven(option) {
      throw UsageError(
        "--smooth and --\(option) cannot be given together",
        hint: option == "adapter"
          ? "adapters were trained on inputs as they are; merge, calibrate and convert one after the other"
          : "channels are scaled before weights are quantized; convert the original")
    }
    if text == "auto" { return .automatic }
    guard let alpha = Double(text), (0...1).contains(alpha) else {
      throw UsageError(
        "--smooth takes a number from 0 to 1, or auto, not '\(text)'", hint: "as in --smooth 0.5")
    }
    return .alpha(alpha)
  }
}
