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

  /// - Parameter tensors: what is measured is added to.
  /// - Throws: `DumpError`, `FileError`, `CancellationError`.
  package func measure(
    _ path: String, into tensors: inout [TensorStatistics], _ context: RunContext
  ) throws {
    var found: [TensorStatistics] = []
    try DumpMeasurement(TensorDump(paths: [path]), of: model, options: options).run(context) {
      found.append($0)
    }
    for tensor in found { MapSelection.append(tensor, to: &tensors) }
  }
}
