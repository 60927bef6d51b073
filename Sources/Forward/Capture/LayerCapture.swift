import Convert
import Formats
import Foundation

/// Measures what is computed in a model layer by layer: a layer's values lie in a file until all of them are
/// there.
final class LayerCapture: ForwardObserver {
  private let model: ForwardModel
  private let tokens: Int
  private let blocks: Int
  private let folder: String
  private let measurement: CaptureMeasurement
  private let context: RunContext
  /// Of everything, where it is kept.
  private let kept: CaptureFile?
  private let other: (any ForwardObserver)?
  private var current: (layer: Int?, file: CaptureFile)?
  private var fileCount = 0
  private(set) var statistics: [TensorStatistics] = []
  private(set) var similarities: [LayerSimilarity] = []

  /// - Parameters:
  ///   - tokens: of all windows.
  ///   - blocks: in how many pieces they come.
  ///   - folder: for the layers' files.
  ///   - kept: a file for everything.
  ///   - other: sees the same values.
  init(
    of model: ForwardModel, tokens: Int, blocks: Int, in folder: String, kept: CaptureFile?,
    alongside other: (any ForwardObserver)?, _ measurement: CaptureMeasurement,
    _ context: RunContext
  ) {
    self.model = model
    self.tokens = tokens
    self.blocks = blocks
    self.folder = folder
    self.kept = kept
    self.other = other
    self.measurement = measurement
    self.context = context
  }

  func observe(_ values: inout MutableSpan<Float>, at place: ObservedPlace) throws {
    if let current, current.layer != place.layer { try finish() }
    if current == nil {
      fileCount += 1
      let file = try CaptureFile(
        creating: "\(folder)/\(fileCount).safetensors", of: model, blocks: blocks)
      current = (place.layer, file)
    }
    try current?.file.add(values.span, at: place)
    try kept?.add(values.span, at: place)
    try other?.observe(&values, at: place)
  }

  func observeLayer(
    _ layer: Int, entering: Span<Float>, leaving: Span<Float>, features: Int
  ) {
    if similarities.last?.layer != layer { similarities.append(LayerSimilarity(layer: layer)) }
    similarities[similarities.count - 1].add(entering, leaving, features: features)
  }

  /// Called after the last value.
  func finish() throws {
    guard let (layer, file) = current else { return }
    current = nil
    let rotation = layer.map { model.description.layers[$0].rotation } ?? .none
    try file.finish(tokens: tokens, rotation: rotation)
    // The progress is that of the model's weights.
    try measurement.measure(
      file.path, into: &statistics,
      RunContext(threads: context.threads, cancellation: context.cancellation))
    try FileManager.default.removeItem(atPath: file.path)
  }
}
