import Formats
import Foundation

@testable import Convert

/// The model in `samples/small`, and what was captured of it.
enum SampleModel {
  static let path = samplesFolder + "/small"
  static let activations = samplesFolder + "/small-activations.safetensors"

  /// The faster method and fewer widths than a plan has by default, for a quick start.
  static var candidateOptions: CandidateOptions {
    var options = CandidateOptions()
    options.method = .minmax
    options.bits = [3, 4, 6, 8]
    options.groupSizes = [32, 128]
    return options
  }

  /// A conversion as `decant plan` sets it up.
  static func plan(
    _ candidates: CandidateOptions = candidateOptions,
    edit: (inout ConversionOptions) throws -> Void = { _ in }
  ) throws -> ConversionPlan {
    var options = ConversionOptions()
    options.method = candidates.method
    options.overrides = candidates.overrides
    options.groupSize = candidates.groupSizes.max() ?? options.groupSize
    try edit(&options)
    return try ConversionPlan(Checkpoint(path: path), options: options)
  }

  /// E[x²] of the inputs by name of the weight.
  static func meanSquares() throws -> [String: [Float]] {
    var options = MeasureOptions()
    options.keepsChannels = true
    let calibration = try Calibration([activations], of: Checkpoint(path: path), options: options)
    let captured = try calibration.run(
      RunContext(threads: 2))
    return calibration.meanSquares(captured.map(\.figures))
  }

  static func candidates(
    _ plan: ConversionPlan, _ options: CandidateOptions = candidateOptions,
    meanSquares: [String: [Float]] = [:], threads: Int = 2
  ) throws -> [TensorCandidates] {
    try CandidateMeasurement(plan, options: options, meanSquares: meanSquares).run(
      RunContext(threads: threads))
  }

  /// With the plain conversion and all candidates measured once for all tests.
  static func planner(ties: Set<Tie> = []) throws -> BitPlanner {
    let (plan, candidates) = try measured.get()
    return try BitPlanner(plan, candidates, ties: ties, record: record)
  }

  static let measured = Result<(ConversionPlan, [TensorCandidates]), any Error> {
    let plan = try SampleModel.plan()
    return (plan, try candidates(plan, meanSquares: meanSquares()))
  }

  static let record = BitPlanner.Record(request: ["target_bpw": "4.25"], dumps: [])
}

extension TemporaryFolder {
  /// Bytes of all files of a flat folder in this one.
  func byteCount(of folder: String) throws -> Int {
    try entries.filter { $0.hasPrefix(folder + "/") }.reduce(0) { try $0 + bytes($1).count }
  }
}

extension TensorCandidates {
  func with(candidates: [Candidate]) -> TensorCandidates {
    TensorCandidates(
      name: name, identity: identity, shape: shape, weightCount: weightCount,
      isWeighted: isWeighted, candidates: candidates, weight: weight)
  }
}
