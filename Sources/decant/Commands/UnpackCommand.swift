import Convert
import Formats

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
    let runner = try Runner(arguments, terminal)
    let type = arguments.value("dtype").flatMap { ScaleType(rawValue: $0.uppercased()) }
    let target = try arguments.outputTarget(terminal)
    let unpacker = try Unpacker(
      PackedCheckpoint(Checkpoint(path: arguments.model())),
      target: target, type: type,
      shardLimit: try arguments.size("max-shard-size")?.bytes ?? 5_000_000_000)
    try runner.run("unpack", byteCount: unpacker.byteCount) {
      try unpacker.run(replacing: arguments.flag("force"), $0)
    }
    if !terminal.isQuiet {
      terminal.report(
        "\(printable(target.path)): \(ByteSize(bytes: unpacker.byteCount).text) of tensors\n",
        ofFinished: target.path)
    }
    return .done
  }
}
