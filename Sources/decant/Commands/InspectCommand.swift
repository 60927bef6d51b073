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
    options: [
      OptionDescription(
        long: "filter", value: .init("PATTERN"),
        help: "List only the tensors that PATTERN matches."),
      OptionDescription(
        long: "sort",
        value: .init(
          "KEY", .choices(InspectionOrder.allCases.map(\.rawValue)), default: .described("by layer")
        ),
        help: "The largest first of 'size' and of 'bits' (per weight, scales counted)."),
      OptionDescription(
        long: "tensor", value: .init("NAME"),
        help: "Show one tensor: shape, type, how it is quantized, size."),
      OptionDescription(
        long: "values",
        help: "With --tensor: also read it, and show minimum, maximum, mean, and its first values."),
      OptionDescription(
        long: "first", value: .init("N", default: .value("16")),
        help: "How many values --values shows, decoded where they are packed."),
      CommonOption.jobs, CommonOption.json,
    ],
    examples: [
      .init("decant inspect Qwen3-0.6B", "List the tensors of a checkpoint, with totals."),
      .init(
        "decant inspect --json model.safetensors > tensors.json",
        "The same facts of one file, for a program to read."),
      .init(
        "decant inspect Qwen3-0.6B --filter 're:layers[.]0[.]' --sort size",
        "The tensors of the first layer, the largest first."),
      .init(
        "decant inspect Qwen3-0.6B-4bit --tensor lm_head --values",
        "One tensor, with its first values."),
      .init("decant inspect my-adapter", "Kind, rank, alpha and modules of a PEFT adapter."),
    ],
    discussion: [
      """
      Only the headers of the files are read, so this is quick however large the weights are; with --values \
      also the one tensor.
      """
    ])

  static func run(_ arguments: Arguments, terminal: Terminal) throws -> ExitStatus {
    let path = try arguments.model()
    if Adapter.isAdapter(path) {
      for option in ["filter", "sort", "tensor", "values", "first"] where arguments.isGiven(option)
      {
        throw UsageError(
          "'--\(option)' is about a checkpoint, and \(path) is an adapter", hint: "leave it out")
      }
      let report = AdapterReport(AdapterInspection(try Adapter(path: path)))
      try StandardOutput.write(
        arguments.flag("json") ? report.json.prettyText : report.text(terminal))
      return .done
    }
    guard arguments.isGiven("tensor") || !arguments.flag("values") && !arguments.isGiven("first")
    else {
      throw UsageError(
        "--values and --first are about one tensor", hint: "name it with --tensor NAME")
    }
    let filter = try pattern(arguments)
    let inspection = try Inspection(Checkpoint(path: path))
    let found = inspection.tensors.filter { filter?.pattern.matches($0.name) ?? true }
    if let filter, found.isEmpty {
      throw PlanError.patternMatchesNothing(filter.pattern.text, option: filter.option)
    }
    let tensors = InspectionOrder.sort(
      found, by: arguments.choice("sort", as: InspectionOrder.self))
    let values =
      arguments.flag("values") ? try values(tensors, of: inspection, arguments, terminal) : [:]
    let report = InspectionReport(
      inspection, tensors: tensors, filter: filter?.pattern.text, values: values)
    if arguments.flag("json") {
      try StandardOutput.write(report.json.prettyText)
    } else if arguments.isGiven("tensor") {
      try StandardOutput.write(
        tensors.map {
          InspectedTensorText(tensor: $0, values: values[$0.name]).text(terminal)
        }.joined(separator: "\n"))
    } else {
      try StandardOutput.write(report.text(terminal))
    }
    return .done
  }

  /// What chooses tensors, and the option that gave it.
  private static func pattern(
    _ arguments: Arguments
  ) throws -> (pattern: NamePattern, option: String)? {
    guard !arguments.isGiven("tensor") || !arguments.isGiven("filter") else {
      throw UsageError(
        "--tensor and --filter both choose what is shown", hint: "give one of the two")
    }
    for option in ["tensor", "filter"] {
      if let text = arguments.value(option) { return (try NamePattern(text), "--\(option)") }
    }
    return nil
  }

  private static func values(
    _ tensors: [Inspection.Tensor], of inspection: Inspection, _ arguments: Arguments,
    _ terminal: Terminal
  ) throws -> [String: TensorValues] {
    guard let tensor = tensors.first, tensors.count == 1 else {
      throw UsageError(
        "--values reads one tensor, and --tensor '\(arguments.value("tensor") ?? "")' matches "
          + "\(tensors.count)", hint: "list them with --filter, and name one")
    }
    let runner = try Runner(arguments, terminal)
    let first = try arguments.count("first", in: 1...1 << 16) ?? 16
    let values = try runner.run("read", byteCount: tensor.byteCount) {
      try TensorValues(
        of: tensor.name, in: inspection.checkpoint, firstCount: first, $0)
    }
    return values.map { [tensor.name: $0] } ?? [:]
  }
}
