import Formats

/// Measures a checkpoint and, where there are any, the dumps of its activations and cache.
package struct StatisticsRun {
  package let checkpoint: Checkpoint
  package let options: MeasureOptions
  /// For measuring what is captured otherwise, see `run`.
  package let captureOptions: MeasureOptions
  private let weights: WeightMeasurement
  private let calibration: Calibration

  /// - Parameters:
  ///   - dumps: files of captured activations and cache, and importance matrices, in any order.
  ///   - measuresMore: whether something is measured that `run` is given.
  /// - Throws: `PlanError`, `SourceError`, `DumpError`, `FileError`, `SafetensorsError`, and what a
  ///   broken importance matrix gives.
  package init(
    _ checkpoint: Checkpoint, dumps: [String], measuresMore: Bool = false, options: MeasureOptions
  ) throws {
    self.checkpoint = checkpoint
    self.options = options
    var conversion = ConversionOptions()
    conversion.groupSize = options.groupSize
    // What is packed is measured as it is.
    conversion.requantizes = true
    let plan = try ConversionPlan(checkpoint, options: conversion, arrangement: .asStored)
    weights = WeightMeasurement(plan, options: options)
    var dumpOptions = options
    // A search weighs errors by the mean squares of the channels.
    dumpOptions.keepsChannels = options.keepsChannels || options.method == .search
    captureOptions = dumpOptions
    calibration = try Calibration(dumps, of: checkpoint, options: dumpOptions)
    if let filter = options.filter, weights.isEmpty, calibration.isEmpty, !measuresMore {
      throw PlanError.patternMatchesNothing(filter.text, option: options.filterOption)
    }
  }

  /// Of all importance matrices.
  package var importance: [ImportanceStatistics] { calibration.importance }
  /// What was left out of the dumps.
  package var problems: [DumpError] { calibration.problems }

  /// Bytes that will be read.
  package var byteCount: Int { weights.byteCount + calibration.byteCount }

  /// Measures everything: weights in the order of the files, then inputs, then the cache.
  ///
  /// - Parameter others: what was captured otherwise, measured with `captureOptions`.
  /// - Throws: as `WeightMeasurement.run` and `DumpMeasurement.run`; `FileError.changed` where somebody
  ///   wrote to a file meanwhile.
  package func run(
    with others: [TensorStatistics] = [], _ context: RunContext
  ) throws -> [TensorStatistics] {
    var captured = try calibration.run(context)
    for tensor in others { MapSelection.append(tensor, to: &captured) }
    var tensors: [TensorStatistics] = []
    try weights.run(
      meanSquares: calibration.meanSquares(captured.map(\.figures)),
      channelsOf: MapSelection.smoothed(in: captured), context
    ) {
      tensors.append($0)
    }
    try checkpoint.checkUnchanged()
    return tensors + captured
  }
}
