import Convert
import Formats
import Forward

/// A text that a model is run over to see what it computes.
struct CapturedText {
  private let capture: TextCapture
  let paths: [String]

  /// Nil where no text is named.
  ///
  /// - Throws: `UsageError` for options that mean nothing then; `ArchitectureError`, `ForwardError`,
  ///   `TokenizerError`, `FileError`.
  init?(_ arguments: Arguments, _ run: StatisticsRun) throws {
    guard TextInput.isGiven(arguments) else {
      for option in ["dump", "context", "tokens-limit"] where arguments.isGiven(option) {
        throw UsageError("'--\(option)' needs a text", hint: "give one with '--text FILE'")
      }
      return nil
    }
    let model = try ForwardModel(run.checkpoint)
    let text = try TextInput(arguments, for: model)
    capture = try TextCapture(model, text.tokens, text.windows, options: run.captureOptions)
    paths = text.paths
  }

  /// Runs the model; what it computed is kept where `--dump` says.
  func measure(
    _ arguments: Arguments, _ inputs: CommandInputs, _ runner: Runner, _ terminal: Terminal
  ) throws -> [TensorStatistics] {
    let dump = try arguments.reportFile("dump", inputs: inputs, terminal: terminal)
    let measured = try runner.run("text", byteCount: capture.byteCount) {
      try capture.run(keeping: dump?.temporaryPath, $0)
    }
    try dump?.finish()
    return measured
  }
}
