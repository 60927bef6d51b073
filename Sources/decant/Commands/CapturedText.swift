import Convert
import Formats
import Forward

/// A text that a model is run over to see what it computes.
struct CapturedText {
  private let capture: TextCapture
  private let options: ForwardOptions
  let paths: [String]

  /// Nil where no text is named.
  ///
  /// - Throws: `UsageError` for options that mean nothing then; `ArchitectureError`, `ForwardError`,
  ///   `TokenizerError`, `FileError`.
  /// - Parameter dependents: the command's options that mean something with a text alone.
  init?(
    _ arguments: Arguments, _ checkpoint: Checkpoint, options: MeasureOptions,
    dependents: [String]
  ) throws {
    guard TextInput.isGiven(arguments) else {
      for option in dependents where arguments.isGiven(option) {
        throw UsageError("'--\(option)' needs a text", hint: "give one with '--text FILE'")
      }
      return nil
    }
    let model = try ForwardModel(checkpoint)
    let text = try TextInput(arguments, for: model, hasWindows: dependents.contains("context"))
    capture = try TextCapture(model, text.tokens, text.windows, options: options)
    paths = text.paths
    self.options = try MemoryBound.options(
      arguments, models: [model], tokens: text.tokens.count, longestWindow: text.windows.length)
  }

  /// Runs the model.
  ///
  /// - Parameter dump: where what it computed is kept.
  func measure(_ runner: Runner, keeping dump: ReportFile? = nil) throws -> CapturedStatistics {
    let measured = try runner.run("text", byteCount: capture.byteCount) {
      try capture.run(options: options, keeping: dump?.temporaryPath, $0)
    }
    try dump?.finish()
    return measured
  }
}
