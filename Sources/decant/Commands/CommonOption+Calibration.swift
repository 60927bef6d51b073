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
}
