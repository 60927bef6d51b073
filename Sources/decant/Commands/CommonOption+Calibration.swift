import Convert
import Formats

extension CommonOption {
  static let calibration = OptionDescription(
    long: "calibration", value: .init("CAL", .path),
    help: """
      What 'decant calibrate' measured: errors then count where inputs are large. It must be of this model.
      """)
}

extension Arguments {
  /// The calibration file that is named, opened for a model.
  ///
  /// - Throws: as `CalibrationFile.init`.
  func calibration(of checkpoint: Checkpoint, _ runner: Runner) throws -> CalibrationFile? {
    try value("calibration").map { path in
      try runner.run("check", byteCount: checkpoint.inputs.reduce(0) { $0 + $1.byteCount }) {
        try CalibrationFile(path: path, for: checkpoint, $0)
      }
    }
  }

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
