import Convert
import Formats
import Foundation

/// Statistics of what a model computes while it reads a text: inputs of its linear layers, and what it
/// caches.
package struct TextCapture {
  private let model: ForwardModel
  private let batch: TokenBatch
  private let options: MeasureOptions
  /// Bytes of weights that are read, as progress counts them.
  package let byteCount: Int

  /// - Throws: `ForwardError.tooFewTokens`.
  package init(
    _ model: ForwardModel, _ tokens: [Int], _ plan: WindowPlan, options: MeasureOptions
  ) throws {
    self.model = model
    self.options = options
    batch = TokenBatch(try plan.windows(of: tokens))
    byteCount = model.byteCount
  }

  /// Tokens that are read: of whole windows.
  package var tokenCount: Int { batch.count }

  /// - Parameters:
  ///   - forward: what bounds the memory of the pass.
  ///   - path: where the values are kept as a dump; nil for nowhere. A file that is there already is an
  ///     error.
  ///   - other: sees the same values.
  /// - Throws: `ForwardError`, `FileError`, `CancellationError`; what reading weights throws.
  package func run(
    options forward: ForwardOptions = ForwardOptions(), keeping path: String? = nil,
    alongside other: (any ForwardObserver)? = nil, _ context: RunContext
  ) throws -> CapturedStatistics {
    let blocks = batch.blocks(ofTokens: forward.blockTokenCount(of: model.description))
    let temporary = FileManager.default.temporaryDirectory.path(percentEncoded: false)
    // Never committed: it goes with everything in it.
    let folder = try StagedOutput(target: temporary + "/decant-capture", replacing: true)
    let kept = try path.map { try CaptureFile(creating: $0, of: model, blocks: blocks.count) }
    let capture = LayerCapture(
      of: model, tokens: batch.count, blocks: blocks.count, in: folder.directory, kept: kept,
      alongside: other, try CaptureMeasurement(model.checkpoint, options: options), context)
    let pass = try ForwardPass(
      model, batch, options: forward, observer: capture, byteCount: byteCount, context)
    // The head's inputs are observed where it is made ready; its logits are of no interest.
    let hidden = try pass.hiddenStates()
    for block in blocks { _ = try HeadSide(pass, hidden, .range(batch.tokens(of: block))) }
    try capture.finish()
    let rotations = Set(model.description.layers.map(\.rotation))
    try kept?.finish(
      tokens: batch.count, rotation: rotations.contains(.after) ? .after : .none)
    try kept?.synchronize()
    let found = capture.statistics
    return CapturedStatistics(
      tensors: found.filter { $0.kind == .activation } + found.filter { $0.kind != .activation },
      similarities: capture.similarities)
  }
}
