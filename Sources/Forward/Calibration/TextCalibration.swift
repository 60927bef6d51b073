import Convert
import Formats
import Foundation

/// Runs a model over a text once, and keeps what later steps need in a file.
package struct TextCalibration {
  private let model: ForwardModel
  private let capture: TextCapture
  private let tokens: [Int]
  private let windows: WindowPlan
  /// Whose inputs' Gram matrices are kept.
  private let modules: Set<String>
  /// Predictions over which the sensitivity of tensors is measured; nil to leave it out.
  private let sensitivityTokens: Int?
  private let options: MeasureOptions
  private let forward: ForwardOptions

  /// What was measured.
  package struct Summary: Sendable {
    package let tokenCount: Int
    package let inputCount: Int
    package let cacheCount: Int
    package let gramCount: Int
    package let sensitivity: Sensitivity?
    /// Inputs with more channels than there were tokens: their Gram matrices have no inverse.
    package let shortModules: [ShortModule]

    package struct ShortModule: Sendable {
      package let name: String
      package let inputCount: Int
      package let tokenCount: Int
    }
  }

  /// - Parameters:
  ///   - modules: whose inputs' Gram matrices are kept; none for none.
  ///   - sensitivityTokens: tokens over which the sensitivity of each tensor is measured; nil to leave it
  ///     out.
  ///   - forward: what bounds the memory of a pass.
  /// - Throws: `ForwardError.tooFewTokens`.
  package init(
    _ model: ForwardModel, _ tokens: [Int], _ windows: WindowPlan, gramsOf modules: Set<String>,
    sensitivityTokens: Int? = nil, options forward: ForwardOptions = ForwardOptions()
  ) throws {
    self.forward = forward
    self.model = model
    self.tokens = tokens
    self.sensitivityTokens = sensitivityTokens
    self.windows = windows
    self.modules = modules
    var options = MeasureOptions()
    options.keepsChannels = true
    self.options = options
    capture = try TextCapture(model, tokens, windows, options: options)
  }

  /// Of progress: as much again for the sensitivity.
  package var byteCount: Int { capture.byteCount * (sensitivityTokens == nil ? 1 : 2) }

  /// - Parameters:
  ///   - path: of the file; one that is there already is an error.
  ///   - text: that the tokens are of.
  /// - Throws: as `TextCapture.run`.
  package func run(
    to path: String, of text: InputFile, _ context: RunContext
  ) throws -> Summary {
    let names = model.weights.names
    let writer = try CalibrationWriter(
      creating: path, moduleLimit: model.matrixCount,
      nameLength: names.map(\.utf8.count).max() ?? 0)
    try writer.append(tokens: Array(tokens.prefix(capture.tokenCount)))
    let grams = modules.isEmpty ? nil : GramObserver(of: modules, to: writer, context)
    let measured = try capture.run(options: forward, alongside: grams, context).tensors
    try grams?.finish()
    let sensitivity = try sensitivity(measured, context)
    let file = Manifest.RecordedFile(
      name: URL(filePath: text.path).lastPathComponent, byteCount: text.byteCount,
      digest: try text.digest(.blocks))
    try text.checkUnchanged()
    try writer.finish(
      measured, sharedInputs: grams?.sharedInputs ?? [:], of: model.checkpoint,
      text: .init(
        file: file, tokenCount: capture.tokenCount, windowLength: windows.length),
      sensitivity: sensitivity, context)
    return Summary(
      tokenCount: capture.tokenCount,
      inputCount: measured.count { $0.kind == .activation },
      cacheCount: measured.count { $0.kind != .activation }, gramCount: grams?.matrixCount ?? 0,
      sensitivity: sensitivity,
      shortModules: (grams?.shortModules ?? []).map {
        .init(name: $0.module, inputCount: $0.order, tokenCount: $0.tokenCount)
      })
  }

  private func sensitivity(
    _ measured: [TensorStatistics], _ context: RunContext
  ) throws -> Sensitivity? {
    guard let sensitivityTokens else { return nil }
    let squares = try Calibration([], of: model.checkpoint, options: options)
      .meanSquares(measured.map(\.figures))
    return try SensitivityRun(
      model, tokens, windows, limit: sensitivityTokens, meanSquares: squares, options: forward
    ).run(context)
  }
}
