import Convert
import Formats
import Forward

enum EvalCommand: Command {
  static let description = CommandDescription(
    name: "eval",
    summary: "run a model over a text: perplexity, and divergence from another model",
    operands: [CommonOption.path],
    options: [
      OptionDescription(
        long: "tokens", value: .init("FILE", .path),
        help: "The text as tokens of the model: whole numbers with white space between them.",
        isRequired: true),
      OptionDescription(
        long: "against", value: .init("SOURCE", .path),
        help: "Also run SOURCE, the checkpoint this came from, and tell how far predictions differ."
      ),
      OptionDescription(
        long: "context", value: .init("N", default: .described("512, or what the model takes")),
        help: "Tokens of a window. All but the first are scored; a last, shorter one is left out."),
      OptionDescription(
        long: "tokens-limit", value: .init("N", default: .described("all")),
        help: "Use the first N tokens of the file."),
      CommonOption.jobs,
      CommonOption.json,
    ],
    examples: [
      .init("decant eval Qwen3-0.6B --tokens text.ids", "Perplexity in windows of 512 tokens."),
      .init(
        "decant eval Qwen3-0.6B-4bit --tokens text.ids --against Qwen3-0.6B",
        "Also the Kullback-Leibler divergence that quantization has caused."),
    ],
    discussion: [
      """
      Arithmetic is in F32, of packed weights too, layer by layer: the model need not fit into memory. \
      Perplexities of different windows cannot be compared.
      """
    ])

  static func run(_ arguments: Arguments, terminal: Terminal) throws -> ExitStatus {
    let runner = try Runner(arguments, terminal)
    let context = try arguments.int("context", in: 2...1 << 24)
    let tokens = try TokenList.read(
      arguments.value("tokens") ?? "", limit: arguments.int("tokens-limit", in: 2...Int.max))
    let model = try ForwardModel(Checkpoint(path: arguments.operands[0]))
    let base = try arguments.value("against").map { try ForwardModel(Checkpoint(path: $0)) }
    let usual = min(WindowPlan.usual(for: model).length, max(2, tokens.count))
    let plan = WindowPlan(length: context ?? usual)
    let models = [model] + (base.map { [$0] } ?? [])
    let result = try runner.run("eval", byteCount: Evaluation.byteCount(of: models)) {
      let evaluation = Evaluation(plan, $0)
      return try base.map {
        EvaluationReport.Result.divergence(
          try evaluation.divergence(of: model, from: $0, on: tokens))
      } ?? .loss(try evaluation.loss(of: model, on: tokens))
    }
    let report = EvaluationReport(path: arguments.operands[0], plan: plan, result: result)
    try StandardOutput.write(
      arguments.flag("json") ? report.json.prettyText : report.text(terminal))
    return .done
  }
}
