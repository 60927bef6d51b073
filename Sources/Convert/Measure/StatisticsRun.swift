import Formats

/// Measures a checkpoint and, where there are any, the dumps of its activations and cache.
package struct StatisticsRun {
  package let checkpoint: Checkpoint
  package let options: MeasureOptions
  private let weights: WeightMeasurement
  private let dump: DumpMeasurement?

  /// - Parameters:
  ///   - dumps: files of captured activations and cache, in any order.
  /// - Throws: `PlanError`, `SourceError`, `DumpError`, `FileError`, `SafetensorsError`.
  package init(_ checkpoint: Checkpoint, dumps: [String], options: MeasureOptions) throws {
    self.checkpoint = checkpoint
    self.options = options
    var conversion = ConversionOptions()
    conversion.groupSize = options.groupSize
    let plan = try ConversionPlan(checkpoint, options: conversion)
    weights = WeightMeasurement(plan, options: options)
    dump =
      dumps.isEmpty
      ? nil
      : try DumpMeasurement(TensorDump(paths: dumps), of: checkpoint, options: options)
    if let filter = options.filter, weights.isEmpty, dump?.dump.tensors.isEmpty ?? true {
      throw PlanError.patternMatchesNothing(filter.text, option: "--filter")
    }
  }

  /// What was left out of the dumps.
  package var problems: [DumpError] { dump?.dump.problems ?? [] }

  /// Bytes that will be read.
  package var byteCount: Int { weights.byteCount + (dump?.byteCount ?? 0) }

  /// Measures everything: weights in the order of the files, then inputs, then the cache.
  ///
  /// - Throws: as `WeightMeasurement.run` and `DumpMeasurement.run`.
  package func run(
    threads: Int, cancellation: Cancellation, progress: @escaping @Sendable (Int) -> Void
  ) throws -> [TensorStatistics] {
    var tensors: [TensorStatistics] = []
    try weights.run(threads: threads, cancellation: cancellation, progress: progress) {
      tensors.append($0)
    }
    try dump?.run(threads: threads, cancellation: cancellation, progress: progress) {
      tensors.append($0)
    }
    return tensors
  }
}
