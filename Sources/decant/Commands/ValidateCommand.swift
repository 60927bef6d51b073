import Convert
import Formats

enum ValidateCommand: Command {
  static let description = CommandDescription(
    name: "validate",
    summary: "check that a checkpoint is whole and well formed",
    operands: [CommonOption.path],
    options: [
      OptionDescription(
        long: "against", value: .init("SOURCE", .path),
        help: "Also compare the weights with those of SOURCE, the checkpoint this came from."),
      CommonOption.adapter,
      CommonOption.pooling,
      CommonOption.jobs,
      CommonOption.json,
    ],
    examples: [
      .init(
        "decant validate Qwen3-0.6B-4bit", "Check headers, offsets, names and quantized parts."),
      .init(
        "decant validate Qwen3-0.6B-4bit --against Qwen3-0.6B",
        "Also measure how far each weight matrix is from its source."),
      .init(
        "decant validate tuned-4bit --against Qwen3-0.6B --adapter my-adapter",
        "Pack and merge again in memory, and compare every byte."),
    ],
    discussion: ["Exits with 0 where nothing is wrong, and with 1 where something is."])

  static func run(_ arguments: Arguments, terminal: Terminal) throws -> ExitStatus {
    let path = try arguments.model()
    let runner = try Runner(arguments, terminal)
    let adapters = try arguments.adapters()
    guard adapters == nil || arguments.value("against") != nil else {
      throw UsageError(
        "'--adapter' needs '--against'", hint: "name the checkpoint that it was merged into")
    }
    let source = try arguments.model("against")
    let byteCount = Validator.byteCount(path: path, against: source)
    let report = try runner.run("validate", byteCount: byteCount) {
      try Validator(path: path).report(against: source, adapters: adapters, $0)
    }
    let text = ValidationReportText(path: path, report: report)
    if arguments.flag("json") {
      try StandardOutput.write(text.json.prettyText)
    } else {
      try StandardOutput.write(text.text(terminal))
    }
    return report.findings.isEmpty ? .done : .failure
  }
}
