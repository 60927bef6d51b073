import Convert
import Formats
import Model

/// The measuring that a plan needs, each step with its progress.
struct PlanWork {
  let plan: ConversionPlan
  let runner: Runner

  /// What the dumps tell.
  struct Calibrated {
    var captured: [TensorFigures] = []
    /// Weights that share the spread of their inputs' channels when those are smoothed.
    var weights: [TensorFigures] = []
    /// Of the inputs, by name of the weight.
    var meanSquares: [String: [Float]] = [:]
    var problems: [DumpError] = []
    /// The dumps.
    var inputs: [InputFile] = []
    var sensitivity: Sensitivity?
  }

  /// How a text is measured.
  static var captureOptions: MeasureOptions {
    var options = MeasureOptions()
    options.keepsChannels = true
    return options
  }

  /// Measures the dumps and what the model computes over a text, takes what was measured before, and, where
  /// there are activations among this, measures the channels of the weights behind norms.
  func calibrate(
    _ dumps: [String], _ text: CapturedText?, _ file: CalibrationFile?, keepsGoing: Bool
  ) throws -> Calibrated {
    guard !dumps.isEmpty || text != nil || file != nil else { return Calibrated() }
    var options = Self.captureOptions
    options.keepsGoing = keepsGoing
    let calibration = try Calibration(dumps, of: plan.checkpoint, options: options)
    var result = Calibrated(problems: calibration.problems, inputs: calibration.inputs)
    if !dumps.isEmpty {
      result.captured = try runner.run(
        "dumps", byteCount: calibration.byteCount, calibration.run
      ).map(\.figures)
    }
    if let text {
      result.captured += try text.measure(runner).tensors.map(\.figures)
      result.inputs += try text.paths.map { try InputFile(path: $0) }
    }
    if let file {
      result.captured += file.figures
      result.sensitivity = file.record.sensitivity
      result.inputs.append(try InputFile(path: file.path))
    }
    result.meanSquares = calibration.meanSquares(result.captured)
    guard result.captured.contains(where: { $0.kind == .activation }) else { return result }
    options.measuresLoss = false
    options.roles = Set(TensorRole.allCases.filter { $0.sharedInput != nil })
    let weights = WeightMeasurement(plan, options: options)
    try runner.run("channels", byteCount: weights.byteCount) { context in
      try weights.run(context) { result.weights.append($0.figures) }
    }
    return result
  }

  /// Quantizes every tensor in every way that is allowed.
  func measure(
    _ options: CandidateOptions, _ calibrated: Calibrated
  ) throws -> [TensorCandidates] {
    let measurement = CandidateMeasurement(
      plan, options: options, meanSquares: calibrated.meanSquares,
      sensitivity: calibrated.sensitivity)
    return try runner.run("measure", byteCount: measurement.byteCount, measurement.run)
  }
}
