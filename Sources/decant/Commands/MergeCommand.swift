import Convert
import Formats

enum MergeCommand: Command {
  static let description = CommandDescription(
    name: "merge",
    summary: "merge QA-LoRA adapters into a packed checkpoint, exactly",
    operands: [
      OperandDescription(
        name: "PACKED", help: "What 'decant convert' wrote: a directory, or one file.",
        accepts: .path)
    ],
    options: [
      CommonOption.adapter,
      CommonOption.output,
      CommonOption.pooling,
      CommonOption.biasType,
      OptionDescription(
        long: "undo", help: "Take the adapters out again that were merged into PACKED."),
      CommonOption.jobs,
      CommonOption.force,
      CommonOption.json,
    ],
    examples: [
      .init(
        "decant merge model-4bit --adapter my-adapter --pooling mean -o model-tuned",
        "Merge an adapter of the QA-LoRA authors' programs."),
      .init(
        "decant merge model-4bit --adapter style=0.7 --adapter facts=0.3 -o model-both",
        "Merge two adapters that PEFT trained, each with a share."),
      .init("decant merge model-tuned --undo -o model-4bit-again", "Get the base back."),
    ],
    discussion: [
      """
      A QA-LoRA update is the same for all weights of a group, so it moves the group's bias and \
      nothing else: codes and scales stay bit for bit. Ordinary LoRA changes weights within a group; \
      'decant convert --adapter' merges it before quantization.
      """,
      """
      A directory keeps the biases from before the merge, so that '--undo' restores them bit for bit. \
      One file does not.
      """,
    ])

  static func run(_ arguments: Arguments, terminal: Terminal) throws -> ExitStatus {
    let runner = try Runner(arguments, terminal)
    let packed = try PackedCheckpoint(Checkpoint(path: arguments.model()))
    let target = try arguments.outputTarget(terminal)
    let adapters = try arguments.adapters()
    if arguments.flag("undo") {
      guard adapters == nil, arguments.value("bias-dtype") == nil else {
        throw UsageError(
          "'--undo' takes out all that was merged", hint: "leave the other options out")
      }
      return try undo(packed, target, arguments, terminal, runner)
    }
    guard let adapters else {
      throw UsageError("'--adapter' is missing", hint: "name the adapter to merge, or '--undo'")
    }
    let merger = try PackedMerger(
      packed, adapters, target: target,
      biasType: arguments.value("bias-dtype").flatMap { ScaleType(rawValue: $0.uppercased()) })
    let result = try runner.run("merge", byteCount: merger.byteCount) {
      try merger.run(replacing: arguments.flag("force"), $0)
    }
    let report = MergeReport(merger, result)
    if arguments.flag("json") {
      terminal.report(report.json.prettyText, ofFinished: target.path)
    } else if !terminal.isQuiet {
      terminal.report(report.text, ofFinished: target.path)
    }
    return .done
  }

  private static func undo(
    _ packed: PackedCheckpoint, _ target: OutputTarget, _ arguments: Arguments,
    _ terminal: Terminal, _ runner: Runner
  ) throws -> ExitStatus {
    let unmerger = try Unmerger(packed, target: target)
    let restored = try runner.run("merge", byteCount: unmerger.byteCount) {
      try unmerger.run(replacing: arguments.flag("force"), $0)
    }
    if arguments.flag("json") {
      let json: JSONValue = [
        "path": .string(packed.checkpoint.path), "output": .string(target.path),
        "removed": .array(unmerger.adapterNames.map { .string($0) }),
        "restored_tensors": .integer(restored),
      ]
      terminal.report(json.prettyText, ofFinished: target.path)
    } else if !terminal.isQuiet {
      terminal.report(
        "wrote \(printable(target.path)): without "
          + unmerger.adapterNames.map(printable).joined(separator: ", ")
          + ", \(restored) tensors as they were\n", ofFinished: target.path)
    }
    return .done
  }
}
