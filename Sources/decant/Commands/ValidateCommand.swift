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
    let path = arguments.operands[0]
    let interruption = Interruption()
    let adapters = try arguments.adapters()
    guard adapters == nil || arguments.value("against") != nil else {
      throw UsageError(
        "'--adapter' needs '--against'", hint: "name the checkpoint that it was merged into")
    }
    let bar = ProgressBar(
      title: "validate",
      totalBytes: Validator.byteCount(path: path, against: arguments.value("against")),
      terminal: terminal)
    defer { bar.finish() }
    let findings = try Validator(
      path: path, threads: try arguments.threads(), cancellation: interruption.cancellation
    ).run(
      against: arguments.value("against"), adapters: adapters, progress: { bar.advance(by: $0) })
    bar.finish()
    if arguments.flag("json") {
      try StandardOutput.write(json(path, findings).prettyText)
    } else if !findings.isEmpty {
      for finding in findings {
        try StandardOutput.write(
          terminal.style.red(finding.rule) + "  " + printable(finding.message) + "\n")
      }
      try StandardOutput.write(
        "\(findings.count) \(findings.count == 1 ? "finding" : "findings")\n")
    } else if !terminal.isQuiet {
      try StandardOutput.write("\(printable(path)): all holds\n")
    }
    return findings.isEmpty ? .done : .failure
  }

  private static func json(_ path: String, _ findings: [Finding]) -> JSONValue {
    [
      "path": .string(path), "ok": .bool(findings.isEmpty),
      "findings": .array(
        findings.map { finding in
          [
            "file": .string(finding.file),
            "tensor": finding.tensor.map { .string($0) } ?? .null,
            "rule": .string(finding.rule), "message": .string(finding.message),
          ]
        }),
    ]
  }
}
