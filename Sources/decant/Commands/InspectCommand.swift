import Convert
import Formats

enum InspectCommand: Command {
  static let description = CommandDescription(
    name: "inspect",
    summary: "show what a checkpoint holds: tensors, shapes, types and sizes",
    operands: [
      OperandDescription(
        name: "PATH",
        help:
          "A checkpoint: a directory, or one .safetensors file; or the directory of an adapter.",
        accepts: .path)
    ],
    options: [CommonOption.json],
    examples: [
      .init("decant inspect Qwen3-0.6B", "List the tensors of a checkpoint, with totals."),
      .init(
        "decant inspect --json model.safetensors > tensors.json",
        "The same facts of one file, for a program to read."),
      .init("decant inspect my-adapter", "Kind, rank, alpha and modules of a PEFT adapter."),
    ],
    discussion: [
      "Only the headers of the files are read, so this is quick however large the weights are."
    ])

  static func run(_ arguments: Arguments, terminal: Terminal) throws -> ExitStatus {
    let path = try arguments.model()
    if Adapter.isAdapter(path) {
      let report = AdapterReport(AdapterInspection(try Adapter(path: path)))
      try StandardOutput.write(
        arguments.flag("json") ? report.json.prettyText : report.text(terminal))
      return .done
    }
    let inspection = try Inspection(Checkpoint(path: path))
    let report = InspectionReport(inspection)
    try StandardOutput.write(
      arguments.flag("json") ? report.json.prettyText : report.text(terminal))
    return .done
  }
}
