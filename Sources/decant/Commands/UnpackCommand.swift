enum UnpackCommand: Command {
  static let description = CommandDescription(
    name: "unpack",
    summary: "turn quantized weights back into plain floating point",
    operands: [CommonOption.path],
    options: [
      CommonOption.output,
      OptionDescription(
        long: "dtype",
        value: .init(
          "TYPE", .choices(["f16", "bf16", "f32"]), default: .described("that of the scales")),
        help: "The element type to write the weights in."),
      CommonOption.maxShardSize,
      CommonOption.jobs,
      CommonOption.force,
    ],
    examples: [
      .init("decant unpack Qwen3-0.6B-4bit -o Qwen3-0.6B-plain", "Undo the packing."),
      .init(
        "decant unpack Qwen3-0.6B-4bit -o Qwen3-0.6B-f32 --dtype f32",
        "The same in single precision, to compare with other tools."),
    ],
    discussion: ["What quantization lost does not come back."])

  static func run(_ arguments: Arguments, terminal: Terminal) throws -> ExitStatus {
    throw CommandUnavailable(name: description.name)
  }
}
