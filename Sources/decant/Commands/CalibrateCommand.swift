import Convert
import Formats
import Forward

enum CalibrateCommand: Command {
  static let description = CommandDescription(
    name: "calibrate",
    summary: "run a model over a text once, and keep what choosing and quantizing need",
    operands: [CommonOption.path],
    options: TextInput.options + [
      OptionDescription(
        long: "gram",
        help: """
          Also keep the second moments of the inputs of every layer that 'convert' quantizes \
          (half the Hessian, for --method gptq): 2 n (n + 1) bytes for n inputs.
          """),
      OptionDescription(
        long: "sensitivity",
        help: """
          Also measure what quantizing each tensor alone does to the model's predictions, at 2, 3 and 4 bits: \
          plans then count it. The model runs some times for each tensor.
          """),
      CalibrationInput.sensitivityTokens,
      OptionDescription(
        long: "output", short: "o", value: .init("CAL", .path), help: "Where to write it.",
        isRequired: true),
      MemoryBound.option,
      CommonOption.jobs,
      CommonOption.force,
      CommonOption.json,
    ],
    examples: [
      .init(
        "decant calibrate Qwen3-0.6B --text calibration.txt --tokens-limit 16384 -o cal.safetensors",
        "What the model computes over 16,384 tokens."),
      .init(
        "decant plan Qwen3-0.6B --calibration cal.safetensors --target-bpw 4.25 -o plan.json",
        "Weigh errors by it."),
    ],
    discussion: [
      """
      The file holds mean squares and largest magnitudes of every input channel, what widths of activations \
      and of the cache would lose, and checksums of the model and of the text: with another model it is \
      refused. What a model computes depends on the processor in its last digits; what is made from the file \
      does not.
      """,
      """
      Take a text like those that the model is used for, and not the one that 'eval' is run on. Gram \
      matrices need more tokens than a layer has inputs.
      """,
    ])

  static func run(_ arguments: Arguments, terminal: Terminal) throws -> ExitStatus {
    let runner = try Runner(arguments, terminal)
    let sensitivityTokens = try sensitivityTokens(arguments)
    let checkpoint = try Checkpoint(path: arguments.model())
    let model = try ForwardModel(checkpoint)
    let text = try TextInput(arguments, for: model)
    let inputs = CommandInputs(checkpoint, and: text.paths)
    let path = arguments.value("output") ?? ""
    guard let file = try arguments.reportFile("output", inputs: inputs, terminal: terminal) else {
      throw UsageError("there is no file to write", hint: "give one with '--output CAL'")
    }
    let summary = try CalibrationInput.measure(
      model, text, arguments, grams: arguments.flag("gram"), sensitivityTokens: sensitivityTokens,
      to: file, runner)
    try file.finish()
    let report = CalibrationReport(
      summary, path: path, byteCount: try InputFile(path: path).byteCount)
    summary.warnings.forEach(terminal.warn)
    terminal.report(
      arguments.flag("json") ? report.json.prettyText : report.text, ofFinished: path)
    return .done
  }

  private static func sensitivityTokens(_ arguments: Arguments) throws -> Int? {
    let tokens = try arguments.count("sensitivity-tokens", in: 2...1 << 24)
    guard arguments.flag("sensitivity") else {
      guard tokens == nil else {
        throw UsageError(
          "--sensitivity-tokens means nothing without --sensitivity", hint: "give both")
      }
      return nil
    }
    return tokens ?? SensitivityRun.usualTokens
  }
}
