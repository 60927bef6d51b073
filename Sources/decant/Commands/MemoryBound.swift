import Forward
import Model

/// What a model may take while it is run, as the commands that run one are told it.
enum MemoryBound {
  static let option = OptionDescription(
    long: "max-memory", value: .init("SIZE", default: .described("a few blocks of values")),
    help: """
      Run the model in about so much memory, as in 2GB. What a text's hidden states take beyond it goes to \
      a temporary file. The result does not depend on it.
      """)

  /// - Parameters:
  ///   - models: that are run over the same tokens.
  ///   - tokens: of all windows.
  /// - Throws: `UsageError`; `ForwardError.tooLittleMemory`.
  static func options(
    _ arguments: Arguments, models: [ForwardModel], tokens: Int, longestWindow: Int
  ) throws -> ForwardOptions {
    guard let limit = try arguments.size("max-memory")?.bytes else { return ForwardOptions() }
    let memory = ForwardMemory(
      models: models.map(\.description), tokens: tokens, longestWindow: longestWindow,
      threads: try arguments.threads())
    // The program, headers of weights and the tokenizer are there already.
    return try memory.options(limit: limit, used: peakMemory() ?? 0)
  }
}
