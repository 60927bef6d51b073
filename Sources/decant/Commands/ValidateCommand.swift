enum ValidateCommand: Command {
  static let description = CommandDescription(
    name: "validate",
    summary: "check that a checkpoint is whole and well formed",
    operands: [CommonOption.path],
    options: [
      OptionDescription(
        long: "against", value: .init("SOURCE", .path),
        help: "Also compare the weights with those of SOURCE, the checkpoint this came from."),
      CommonOption.jobs,
      CommonOption.json,
    ],
    examples: [
      .init(
        "decant validate Qwen3-0.6B-4bit", "Check headers, offsets, names and quantized parts."),
      .init(
        "decant validate Qwen3-0.6B-4bit --against Qwen3-0.6B",
        "Also measure how far each weight matrix is from its source."),
    ],
    discussion: ["Exits with 0 where nothing is wrong, and with 1 where something is."])

  static func run(_ arguments: Arguments, terminal: Terminal) throws -> ExitStatus {
    throw CommandUnavailable(name: description.name)
  }
}
