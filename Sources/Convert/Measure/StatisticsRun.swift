import Formats
import Foundation

/// Measures a checkpoint and, where there are any, the dumps of its activations and cache.
package struct StatisticsRun {
  package let checkpoint: Checkpoint
  package let options: MeasureOptions
  private let weights: WeightMeasurement
  private let dump: DumpMeasurement?
  /// Of all importance matrices.
  package let importance: [ImportanceStatistics]
  /// What was left out of the dumps.
  package let problems: [DumpError]

  /// - Parameter dumps: files of captured activations and cache, and importance matrices, in any
  ///   order.
  /// - Throws: `PlanError`, `SourceError`, `DumpError`, `FileError`, `SafetensorsError`, and what a
  ///   broken importance matrix gives.
  package init(_ checkpoint: Checkpoint, dumps: [String], options: MeasureOptions) throws {
    self.checkpoint = checkpoint
    self.options = options
    var conversion = ConversionOptions()
    conversion.groupSize = options.groupSize
    let plan = try ConversionPlan(checkpoint, options: conversion)
    weights = WeightMeasurement(plan, options: options)

    // A file that holds both inputs and cache may be named for either, and is read once.
    var seen = Set<String>()
    let dumps = dumps.filter { path in
      seen.insert(URL(filePath: path).resolvingSymlinksInPath().path(percentEncoded: false))
        .inserted
    }
    let model = DumpedModel(checkpoint)
    let matrices = try dumps.filter { try ImportanceStatistics.isMatrix(path: $0) }
    let captures = dumps.filter { !matrices.contains($0) }
    dump =
      captures.isEmpty
      ? nil : try DumpMeasurement(TensorDump(paths: captures), of: model, options: options)
    var problems = dump?.dump.problems ?? []
    importance = try matrices.flatMap { path in
      try ImportanceStatistics.read(path, of: model) { problem in
        guard options.keepsGoing else { throw problem }
        problems.append(problem)
      }
    }
    .filter { entry in
      options.filter.map { filter in
        filter.matches(entry.name) || entry.weights.contains { filter.matches($0) }
      } ?? true
    }
    self.problems = problems
    if !matrices.isEmpty, importance.isEmpty, options.filter == nil {
      throw DumpError.nothing(files: matrices)
    }
    if let filter = options.filter, weights.isEmpty, dump?.dump.tensors.isEmpty ?? true,
      importance.isEmpty
    {
      throw PlanError.patternMatchesNothing(filter.text, option: options.filterOption)
    }
  }

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
