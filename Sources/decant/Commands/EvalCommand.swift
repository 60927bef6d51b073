import Convert
import Formats
import Forward

enum EvalCommand: Command {
  static let description = CommandDescription(
    name: "eval",
    summary: "run a model over a text or questions: perplexity, divergence, accuracy",
    operands: [CommonOption.path],
    options: TextInput.options + [
      ChoiceInput.option,
      OptionDescription(
        long: "against", value: .init("SOURCE", .path),
        help: "Also run SOURCE, the checkpoint this came from, and tell how far predictions differ."
      ),
      CommonOption.jobs,
      CommonOption.json,
    ],
    examples: [
      .init("decant eval Qwen3-0.6B --text eval.txt", "Perplexity in windows of 512 tokens."),
      .init(
        "decant eval Qwen3-0.6B-4bit --text eval.txt --against Qwen3-0.6B",
        "Also the Kullback-Leibler divergence that quantization has caused."),
      .init(
        "decant eval Qwen3-0.6B --choices questions.jsonl",
        "The share of multiple-choice questions that are answered rightly."),
    ],
    discussion: [
      """
      Arithmetic is in F32, of packed weights too, layer by layer: the model need not fit into memory. \
      Perplexities of different windows cannot be compared.
      """,
      """
      The answer to a question is the option that is the most likely after the context, and, normalised, \
      the most likely by character: 'acc' and 'acc_norm' of lm-evaluation-harness. A space between \
      context and option belongs to the end of the context, so that it is not counted.
      """,
    ])

  static func run(_ arguments: Arguments, terminal: Terminal) throws -> ExitStatus {
    let runner = try Runner(arguments, terminal)
    let model = try ForwardModel(Checkpoint(path: arguments.operands[0]))
    if let path = arguments.value("choices") {
      return try answer(path, arguments, model, runner, terminal)
    }
    let base = try arguments.value("against").map { try ForwardModel(Checkpoint(path: $0)) }
    let text = try TextInput(arguments, for: model)
    let models = [model] + (base.map { [$0] } ?? [])
    let result = try runner.run("eval", byteCount: Evaluation.byteCount(of: models)) {
      let evaluation = Evaluation(text.windows, $0)
      return try base.map {
        EvaluationReport.Result.divergence(
          try evaluation.divergence(of: model, from: $0, on: text.tokens))
      } ?? .loss(try evaluation.loss(of: model, on: text.tokens))
    }
    let report = EvaluationReport(path: arguments.operands[0], plan: text.windows, result: result)
    try StandardOutput.write(
      arguments.flag("json") ? report.json.prettyText : report.text(terminal))
    return .done
  }

  private static func answer(
    _ path: String, _ arguments: Arguments, _ model: ForwardModel, _ runner: Runner,
    _ terminal: Terminal
  ) throws -> ExitStatus {
    let input = try ChoiceInput(path, arguments, for: model)
    let logLikelihoods = try runner.run("eval", byteCount: model.byteCount) {
      try ChoiceEvaluation(model, $0).logLikelihoods(of: input.windows)
    }
    let report = ChoiceReport(
      path: arguments.operands[0], summary: input.summary(logLikelihoods))
    try StandardOutput.write(
      arguments.flag("json") ? report.json.prettyText : report.text(terminal))
    return .done
  }
}
