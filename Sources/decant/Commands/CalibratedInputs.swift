import Convert
import Formats

/// What dumps and a calibration tell of what a model computes.
struct CalibratedInputs {
  /// Inputs of linear layers, keys and values.
  private(set) var figures: [TensorFigures] = []
  /// E[x²] of the inputs by channel, by name of the weight.
  private(set) var meanSquares: [String: [Float]] = [:]
  private(set) var sensitivity: Sensitivity?
  /// What was left out.
  private(set) var problems: [DumpError] = []
  /// The dumps, and what stands for the calibration.
  private(set) var files: [InputFile] = []

  /// Nothing.
  init() {}

  /// - Throws: `DumpError` and what reading throws.
  init(
    dumps: [String], _ known: CalibrationInput?, of checkpoint: Checkpoint,
    keepsGoing: Bool = false, _ runner: Runner
  ) throws {
    guard !dumps.isEmpty || known != nil else { return }
    var options = MeasureOptions()
    options.keepsChannels = true
    options.keepsGoing = keepsGoing
    let calibration = try Calibration(dumps, of: checkpoint, options: options)
    problems = calibration.problems
    files = calibration.inputs
    if !dumps.isEmpty {
      figures = try runner.run("dumps", byteCount: calibration.byteCount, calibration.run)
        .map(\.figures)
    }
    if let known {
      figures += known.file.figures
      sensitivity = known.file.record.sensitivity
      files += try known.paths.map { try InputFile(path: $0) }
    }
    meanSquares = calibration.meanSquares(figures)
  }

  /// For the record of what is made of them.
  ///
  /// - Throws: `FileError` where a file is not what was measured.
  func recorded() throws -> [BitPlan.Input] {
    let inputs = try files.map { try BitPlan.Input(path: $0.path) }
    for file in files { try file.checkUnchanged() }
    return inputs
  }
}
