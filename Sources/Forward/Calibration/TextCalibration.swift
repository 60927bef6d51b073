import Convert
import Formats
import Foundation

/// Runs a model over a text once, and keeps what later steps need in a file.
package struct TextCalibration {
  private let model: ForwardModel
  private let capture: TextCapture
  private let windows: WindowPlan
  /// Whose inputs' Gram matrices are kept.
  private let modules: Set<String>

  /// What was measured.
  package struct Summary: Sendable {
    package let tokenCount: Int
    package let inputCount: Int
    package let cacheCount: Int
    package let gramCount: Int
    /// Inputs with more channels than there were tokens: their Gram matrices have no inverse.
    package let shortModules: [ShortModule]

    package struct ShortModule: Sendable {
      package let name: String
      package let inputCount: Int
      package let tokenCount: Int
    }
  }

  /// - Parameter modules: whose inputs' Gram matrices are kept; none for none.
  /// - Throws: `ForwardError.tooFewTokens`, `.tooManyTokens`.
  package init(
    _ model: ForwardModel, _ tokens: [Int], _ windows: WindowPlan, gramsOf modules: Set<String>
  ) throws {
    self.model = model
    self.windows = windows
    self.modules = modules
    var options = MeasureOptions()
    options.keepsChannels = true
    capture = try TextCapture(model, tokens, windows, options: options)
  }

  /// Of progress.
  package var byteCount: Int { capture.byteCount }

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
    let grams = modules.isEmpty ? nil : GramObserver(of: modules, to: writer, context)
    let measured = try capture.run(alongside: grams, context)
    try grams?.finish()
    let file = Manifest.RecordedFile(
      name: URL(filePath: text.path).lastPathComponent, byteCount: text.byteCount, digest: try text.digest(.blocks))
    try text.checkUnchanged()
    try writer.finish(
      measured, sharedInputs: grams?.sharedInputs ?? [:], of: model.checkpoint,
      text: .init(
        file: file, tokenCount: capture.tokenCount, windowLength: windows.length),
      context)
    return Summary(
      tokenCount: capture.tokenCount,
      inputCount: measured.count { $0.kind == .activation },
      cacheCount: measured.count { $0.kind != .activation }, gramCount: grams?.matrixCount ?? 0,
      shortModules: (grams?.shortModules ?? []).map {
        .init(name: $0.module, inputCount: $0.order, tokenCount: $0.tokenCount)
      })
  }
}
