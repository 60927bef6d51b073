import Formats

/// Measures dumps of a model's parts that come one after the other.
package struct CaptureMeasurement {
  private let model: DumpedModel
  private let options: MeasureOptions

  /// - Throws: as `Checkpoint.sourceTensors`.
  package init(_ checkpoint: Checkpoint, options: MeasureOptions) throws {
    model = try DumpedModel(checkpoint)
    self.options = options
  }

  /// - Throws: `DumpError`, `FileError`, `CancellationError`.
  package func measure(_ path: String, _ context: RunContext) throws -> [TensorStatistics] {
    var tensors: [TensorStatistics] = []
    try DumpMeasurement(TensorDump(paths: [path]), of: model, options: options).run(context) {
      tensors.append($0)
    }
    return tensors
  }
}
