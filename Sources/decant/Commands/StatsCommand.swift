import Convert
import Formats
import Forward

enum StatsCommand: Command {
  static let description = CommandDescription(
    name: "stats",
    summary: "measure outliers in weights, activations and the KV cache",
    operands: [
      OperandDescription(
        name: "PATH",
        help: "A checkpoint: a directory, or one .safetensors file. Several are set side by side.",
        accepts: .path, isRepeatable: true)
    ],
    options: TextInput.options + [
      OptionDescription(
        long: "dump", value: .init("FILE", .path),
        help: "Keep what was computed over the text, as a dump in F32."),
      MemoryBound.option,
      OptionDescription(
        long: "activations", value: .init("FILE", .path),
        help: "A dump of the inputs of linear layers, or an importance matrix.", isRepeatable: true),
      OptionDescription(
        long: "kv", value: .init("FILE", .path),
        help: "A dump of keys and values of the cache.", isRepeatable: true),
      OptionDescription(
        long: "filter", value: .init("PATTERN"),
        help: "Measure only the tensors and modules that PATTERN matches."),
      OptionDescription(
        long: "group-size",
        value: .init("N", .choices(["32", "64", "128"]), default: .value("64")),
        help: "Consecutive weights that would share a scale."),
      OptionDescription(
        long: "method",
        value: .init("NAME", .choices(["minmax", "search"]), default: .value("minmax")),
        help: "How scales would be chosen: 'minmax' is fast, 'search' is what 'convert' does."),
      OptionDescription(
        long: "exact",
        help: "Measure what each width loses on all weights, not on samples of large tensors."),
      OptionDescription(
        long: "outlier-ratio", value: .init("X", default: .value("6")),
        help: """
          A channel is an outlier if its AbsMax exceeds X times that of the median channel. SQNR of \
          activations is that of the other channels.
          """),
      OptionDescription(
        long: "tensor", value: .init("NAME"),
        help: "Show one tensor closely: histogram, outlier channels, what each width would lose."),
      OptionDescription(
        long: "top", value: .init("N"),
        help: "List the first N tensors in the order of --sort, instead of the layers."),
      OptionDescription(
        long: "sort",
        value: .init(
          "KEY", .choices(StatisticsOrder.allCases.map(\.rawValue)),
          default: .described("kurtosis")),
        help: "List tensors instead of layers, the most striking first."),
      OptionDescription(
        long: "all",
        help:
          "Give every layer a line, not only those that stand out, the five that lose most, and the median."
      ),
      OptionDescription(
        long: "channels", help: "With --json: also every channel's figures."),
      OptionDescription(
        long: "keep-going",
        help: "Leave out what is wrong in a dump, say so, and measure the rest."),
      OptionDescription(
        long: "html", value: .init("FILE", .path),
        help: "Write a page with heat maps, histograms and tables to FILE."),
      CommonOption.jobs,
      CommonOption.force,
      CommonOption.json,
    ],
    examples: [
      .init(
        "decant stats Qwen3-0.6B",
        "What stands out among the weights, a histogram and key figures of layers, and what to do."),
      .init(
        "decant stats Qwen3-0.6B --text calibration.txt --tokens-limit 4096",
        "Also what the model computes over a text: activations and cache."),
      .init(
        "decant stats Qwen3-0.6B --activations acts.safetensors --kv kv.safetensors --html out.html",
        "Weights, activations and cache, as a page to look at."),
      .init(
        "decant stats Qwen3-0.6B --top 10 --sort sqnr4",
        "The ten tensors that 4 bits would hurt most."),
      .init(
        "decant stats Qwen3-0.6B --tensor model.layers.0.mlp.down_proj.weight",
        "One tensor closely."),
      .init(
        "decant stats Qwen3-0.6B Llama-3.2-1B --text calibration.txt --html out.html",
        "Two models on the same axes, along their depth."),
    ],
    discussion: [
      """
      Kurtosis is Pearson's: 3 for a normal distribution. Figures of F16 and BF16 tensors are \
      exact, quantiles too; F32 quantiles are within 0.4 %. What each width loses is measured on \
      131,072 weights of a tensor that has more, in groups drawn by their range; --exact takes all.
      """,
      """
      With --text or --tokens the model is run, layer by layer. What is captured of a layer lies in the \
      folder for temporary files until it is measured. Models that decant cannot run are measured \
      with dumps: samples/capture_activations.py makes them, and docs/DUMPS.md tells what is in them.
      """,
    ])

  /// Those that say how a text is read, and mean nothing without one.
  private static let textOptions = ["context", "tokens-limit", "max-memory"]

  static func run(_ arguments: Arguments, terminal: Terminal) throws -> ExitStatus {
    let runner = try Runner(arguments, terminal)
    guard arguments.operands.count == 1 else {
      return try compare(arguments, runner, terminal)
    }
    let top = try arguments.int("top", in: 1...Int.max)
    let order = arguments.choice("sort", as: StatisticsOrder.self)
    let dumps = arguments.values("activations") + arguments.values("kv")
    try Calibration.checkKinds(
      activations: arguments.values("activations"), cache: arguments.values("kv"))
    var options = try options(arguments)
    options.keepsMaps = arguments.isGiven("html")
    let run = try StatisticsRun(
      Checkpoint(path: arguments.model()), dumps: dumps,
      measuresMore: TextInput.isGiven(arguments), options: options)
    let text = try CapturedText(
      arguments, run.checkpoint, options: run.captureOptions,
      dependents: ["dump"] + textOptions)
    let inputs = CommandInputs(run.checkpoint, and: dumps + (text?.paths ?? []))
    let page = try arguments.reportFile("html", inputs: inputs, terminal: terminal)
    let dump = try arguments.reportFile("dump", inputs: inputs, terminal: terminal)
    let captured = try text?.measure(runner, keeping: dump) ?? CapturedStatistics()
    let measured = try measure(run, captured, runner, planInputs: planInputs(arguments))
    let html = page.map { _ in StatisticsPage(measured, command: arguments.line).html }
    if let html { try page?.write(html) }
    if arguments.flag("json") {
      try StatisticsDocument(measured).write { try StandardOutput.write($0) }
    } else if let html {
      reportPage(html, arguments, terminal)
    } else if arguments.isGiven("tensor") {
      try StandardOutput.write(
        measured.tensors.map { TensorView($0).text(terminal) }.joined(separator: "\n"))
    } else if top != nil || order != nil {
      try StandardOutput.write(
        StatisticsReport(measured).tensors(by: order ?? .kurtosis, limit: top, terminal))
    } else {
      try StandardOutput.write(
        StatisticsReport(measured).layers(terminal, showsAll: arguments.flag("all")))
    }
    return .done
  }

  private static func reportPage(_ html: String, _ arguments: Arguments, _ terminal: Terminal) {
    let path = arguments.value("html") ?? ""
    terminal.report(
      "wrote \(printable(path)): \(ByteSize(bytes: html.utf8.count).text)\n", ofFinished: path)
  }

  private static func measure(
    _ run: StatisticsRun, _ captured: CapturedStatistics, _ runner: Runner,
    planInputs: [String] = []
  ) throws -> MeasuredModel {
    let tensors = try runner.run("stats", byteCount: run.byteCount) {
      try run.run(with: captured.tensors, $0)
    }
    return MeasuredModel(
      run, tensors: tensors, similarities: captured.similarities, planInputs: planInputs)
  }

  /// What was given of the options by which `plan` too is told what the model computes.
  private static func planInputs(_ arguments: Arguments) -> [String] {
    let single = ["text", "tokens", "tokens-limit"].flatMap { name in
      arguments.value(name).map { ["--" + name, $0] } ?? []
    }
    return single + arguments.values("activations").flatMap { ["--activations", $0] }
  }

  /// Several models, one after the other.
  private static func compare(
    _ arguments: Arguments, _ runner: Runner, _ terminal: Terminal
  ) throws -> ExitStatus {
    for option in ["activations", "kv", "dump", "tensor", "top", "sort", "all"]
    where arguments.isGiven(option) {
      throw UsageError("'--\(option)' is about one model", hint: "give one PATH, or leave it out")
    }
    let options = try options(arguments)
    // What is wrong with any of them is said before the first is measured.
    let runs = try arguments.operands.indices.map { index in
      try StatisticsRun(
        Checkpoint(path: arguments.model(index)), dumps: [],
        measuresMore: TextInput.isGiven(arguments),
        options: options)
    }
    let texts = try runs.map {
      try CapturedText(
        arguments, $0.checkpoint, options: $0.captureOptions, dependents: textOptions)
    }
    let inputs = CommandInputs(runs.map(\.checkpoint), and: texts[0]?.paths ?? [])
    let page = try arguments.reportFile("html", inputs: inputs, terminal: terminal)
    let models = try zip(runs, texts).map { run, text in
      try measure(run, text?.measure(runner) ?? CapturedStatistics(), runner)
    }
    let comparison = ModelComparison(models: models)
    let html = page.map { _ in ComparisonPage(comparison: comparison, command: arguments.line).html
    }
    if let html { try page?.write(html) }
    if arguments.flag("json") {
      try ComparisonReport(comparison).writeJSON { try StandardOutput.write($0) }
    } else if let html {
      reportPage(html, arguments, terminal)
    } else {
      try StandardOutput.write(ComparisonReport(comparison).text(terminal))
    }
    return .done
  }

  private static func options(_ arguments: Arguments) throws -> MeasureOptions {
    var options = MeasureOptions()
    options.groupSize = try arguments.int("group-size") ?? options.groupSize
    options.method = arguments.choice("method", as: QuantizationMethod.self) ?? options.method
    if arguments.flag("exact") { options.sampleSize = nil }
    options.outlierRatio = try arguments.number("outlier-ratio") ?? options.outlierRatio
    options.filter = try (arguments.value("tensor") ?? arguments.value("filter")).map {
      try NamePattern($0)
    }
    if arguments.isGiven("tensor") { options.filterOption = "--tensor" }
    options.keepsGoing = arguments.flag("keep-going")
    options.keepsChannels = arguments.flag("channels")
    return options
  }
}
