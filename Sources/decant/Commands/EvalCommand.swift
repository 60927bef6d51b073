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
    ] + QuantizationInput.options + [
      MemoryBound.option,
      OptionDescription(
        long: "html", value: .init("FILE", .path),
        help: "Also write a page with plots and tables to FILE."),
      CommonOption.jobs, CommonOption.force, CommonOption.json,
    ],
    examples: [
      .init("decant eval Qwen3-0.6B --text eval.txt", "Perplexity in windows of 512 tokens."),
      .init(
        "decant eval Qwen3-0.6B-4bit --text eval.txt --against Qwen3-0.6B",
        "Also the Kullback-Leibler divergence that quantization has caused."),
      .init(
        "decant eval Qwen3-0.6B --text eval.txt --w-bits 4 --kv-bits 8",
        "What 4-bit weights and an 8-bit cache would cost, with nothing written."),
      .init(
        "decant eval Qwen3-0.6B --text eval.txt --sweep qllm",
        "The same for all points of Qllm-Eval, beside what its authors recommend."),
      .init(
        "decant eval Qwen3-0.6B --text eval.txt --w-bits 8 --a-bits 8 --smooth auto --calibration CAL",
        "W8A8 with SmoothQuant; CAL is what 'calibrate' left of another text."),
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
      Quantization while the model runs is that of Qllm-Eval (arXiv 2402.18158): values are quantized and decoded, \
      and the model is compared with itself. Weights are those of the blocks' linear layers, quantized as \
      'convert --method minmax' does; embedding and head stay as they are. With --smooth channels are scaled by \
      powers of two, wherever the architecture lets it, for points that quantize activations.
      """,
      """
      The answer to a question is the option that is the most likely after the context, and, normalised, \
      the most likely by character: 'acc' and 'acc_norm' of lm-evaluation-harness. A space between \
      context and option belongs to the end of the context, so that it is not counted.
      """,
    ])

  static func run(_ arguments: Arguments, terminal: Terminal) throws -> ExitStatus {
    let asked = try QuantizationInput(arguments)
    let runner = try Runner(arguments, terminal)
    let model = try ForwardModel(Checkpoint(path: arguments.model()))
    if let path = arguments.value("choices") {
      return try answer(path, arguments, model, runner, terminal)
    }
    let base = try arguments.model("against").map { try ForwardModel(Checkpoint(path: $0)) }
    let text = try TextInput(arguments, for: model)
    let models = [model] + (base.map { [$0] } ?? [])
    let inputs = CommandInputs(models.map(\.checkpoint), and: text.paths)
    let page = try arguments.reportFile("html", inputs: inputs, terminal: terminal)
    if let asked { return try quantize(model, asked, text, page, arguments, runner, terminal) }
    let options = try memory(arguments, models, text)
    let result = try runner.run("eval", byteCount: Evaluation.byteCount(of: models)) {
      let evaluation = Evaluation(text.windows, options: options, $0)
      return try base.map {
        EvaluationReport.Result.divergence(
          try evaluation.divergence(of: model, from: $0, on: text.tokens))
      } ?? .loss(try evaluation.loss(of: model, on: text.tokens))
    }
    let report = EvaluationReport(
      path: arguments.operands[0], plan: text.windows, basePath: arguments.value("against"),
      result: result)
    try page?.write(
      EvaluationPage(
        report: report,
        origin: origin(
          arguments,
          [(arguments.operands[0], model)] + zip([report.basePath ?? ""], base.map { [$0] } ?? []),
          report.json)
      ).html)
    return try print(report.json, report.text, arguments, terminal)
  }

  private static func origin(
    _ arguments: Arguments, _ models: [(path: String, model: ForwardModel)], _ data: JSONValue
  ) -> PageOrigin {
    PageOrigin(
      command: arguments.line,
      models: models.map { ($0.path, BitPlan.Input.headers(of: $0.model.checkpoint)) },
      data: data.compactText)
  }

  private static func quantize(
    _ model: ForwardModel, _ asked: QuantizationInput, _ text: TextInput, _ page: ReportFile?,
    _ arguments: Arguments, _ runner: Runner, _ terminal: Terminal
  ) throws -> ExitStatus {
    let smoothing = try asked.smoothing.map { smoothing in
      let file = try CalibrationInput.open(smoothing.calibration, for: model.checkpoint, runner)
      return try runner.run {
        try ActivationSmoothing(smoothing.choice, model, file, $0)
      }
    }
    let quantization = try FakeQuantization(
      model, groupSize: asked.groupSize, smoothing: smoothing)
    let points =
      switch asked.points {
      case .one(let point): [point]
      case .qllmEval: quantization.qllmEvalPoints
      }
    let options = try memory(arguments, [model, model], text)
    let measured = try runner.run("eval", byteCount: quantization.byteCount(of: points)) {
      try quantization.measure(
        points, on: text.tokens, Evaluation(text.windows, options: options, $0))
    }
    let path = arguments.operands[0]
    switch asked.points {
    case .one(let point):
      let report = EvaluationReport(
        path: path, plan: text.windows,
        result: .quantized(measured[0], point.weights == nil ? nil : quantization.groups))
      try page?.write(
        EvaluationPage(report: report, origin: origin(arguments, [(path, model)], report.json)).html
      )
      return try print(report.json, report.text, arguments, terminal)
    case .qllmEval:
      let report = SweepReport(
        path: path, plan: text.windows, groups: quantization.groups, points: measured)
      try page?.write(
        SweepPage(report: report, origin: origin(arguments, [(path, model)], report.json)).html)
      return try print(report.json, report.text, arguments, terminal)
    }
  }

  private static func memory(
    _ arguments: Arguments, _ models: [ForwardModel], _ text: TextInput
  ) throws -> ForwardOptions {
    try MemoryBound.options(
      arguments, models: models, tokens: text.tokens.count, longestWindow: text.windows.length)
  }

  /// With the memory that it took.
  ///
  /// - Parameter text: for people.
  private static func print(
    _ json: JSONValue, _ text: (Terminal) -> String, _ arguments: Arguments, _ terminal: Terminal
  ) throws -> ExitStatus {
    let peak = peakMemory()
    let report: String
    if arguments.flag("json") {
      var json = json
      json["peak_memory_bytes"] = peak.map { .integer($0) } ?? .null
      report = json.prettyText
    } else {
      report = text(terminal) + (peak.map { "peak memory \(ByteSize(bytes: $0).text)\n" } ?? "")
    }
    if let page = arguments.value("html") {
      terminal.report(report, ofFinished: page)
    } else {
      try StandardOutput.write(report)
    }
    return .done
  }

  private static func answer(
    _ path: String, _ arguments: Arguments, _ model: ForwardModel, _ runner: Runner,
    _ terminal: Terminal
  ) throws -> ExitStatus {
    let input = try ChoiceInput(path, arguments, for: model)
    let lengths = input.windows.map(\.tokens.count)
    let options = try MemoryBound.options(
      arguments, models: [model], tokens: lengths.reduce(0, +), longestWindow: lengths.max() ?? 1)
    let logLikelihoods = try runner.run("eval", byteCount: model.byteCount) {
      try ChoiceEvaluation(model, options: options, $0).logLikelihoods(of: input.windows)
    }
    let report = ChoiceReport(
      path: arguments.operands[0], summary: input.summary(logLikelihoods),
      logLikelihoods: input.byQuestion(logLikelihoods))
    return try print(report.json, report.text, arguments, terminal)
  }
}
