import Convert
import Formats
import Model

/// The measuring that a plan needs, each step with its progress.
struct PlanWork {
  let plan: ConversionPlan
  let calibrated: CalibratedInputs
  let runner: Runner

  /// The weights behind norms: they share the spread of their inputs' channels when those are smoothed. None
  /// where no inputs are known.
  func smoothableWeights() throws -> [TensorFigures] {
    guard calibrated.figures.contains(where: { $0.kind == .activation }) else { return [] }
    var options = MeasureOptions()
    options.keepsChannels = true
    options.measuresLoss = false
    options.roles = Set(TensorRole.allCases.filter { $0.sharedInput != nil })
    let measurement = WeightMeasurement(plan, options: options)
    var weights: [TensorFigures] = []
    try runner.run("channels", byteCount: measurement.byteCount) { context in
      try measurement.run(context) { weights.append($0.figures) }
    }
    return weights
  }

  /// Quantizes every tensor in every way that is allowed.
  ///
  /// - Parameters:
  ///   - request: what was asked for, for the record.
  ///   - settings: what else the plan says.
  func planner(
    _ options: CandidateOptions, ties: Set<Tie> = [], request: JSONValue,
    settings: [JSONValue.Member] = []
  ) throws -> BitPlanner {
    let measurement = CandidateMeasurement(
      plan, options: options, meanSquares: calibrated.meanSquares,
      sensitivity: calibrated.sensitivity)
    let tensors = try runner.run("measure", byteCount: measurement.byteCount, measurement.run)
    return try BitPlanner(
      plan, tensors, ties: ties,
      record: .init(request: request, dumps: calibrated.recorded(), settings: settings))
  }
}
