import Convert
import Formats
import Forward
import Foundation

enum ConvertCommand: Command {
  static let description = CommandDescription(
    name: "convert",
    summary: "quantize the weights of a checkpoint",
    operands: [CommonOption.path],
    options: [
      CommonOption.output
    ] + destinationOptions + BudgetInput.options + TextInput.boundedOptions + [
      OptionDescription(
        long: "plan", value: .init("FILE", .path),
        help: "Take every tensor's bits and group size from a file that 'decant plan' wrote."),
      OptionDescription(
        long: "bits",
        value: .init("N", .choices(["2", "3", "4", "5", "6", "8"]), default: .value("4")),
        help: "Bits for each weight."),
      OptionDescription(
        long: "group-size",
        value: .init("N", .choices(["32", "64", "128"]), default: .value("64")),
        help: "Consecutive weights that share a scale; smaller is larger and more exact."),
      OptionDescription(
        long: "method",
        value: .init(
          "NAME", .choices(["search", "minmax", "gptq", "learn"]),
          default: .described("search; with a text gptq")),
        help: """
          How scales and codes are chosen. 'search' tries several scales for each group and keeps the one \
          with the least error; 'minmax' spans the group's range and is faster; 'gptq' starts from the \
          search and lets the weights of a row make up for one another's errors, for the inputs of a \
          text or in --calibration; 'learn' then rounds each weight the way that serves its layer, which \
          takes many passes over the text.
          """),
      CommonOption.scaleType,
      CommonOption.override,
      CommonOption.keep,
      CalibrationInput.calibration, CalibrationInput.sensitivityTokens, CalibrationInput.keep,
      MemoryBound.option,
      OptionDescription(
        long: "activations", value: .init("FILE", .path),
        help: """
          A dump of the inputs of linear layers, or an importance matrix: the search then counts \
          errors where inputs are large. Without it, the weights themselves say where.
          """,
        isRepeatable: true),
      OptionDescription(
        long: "smooth", value: .init("ALPHA|auto"),
        help: """
          Scale channels between layers first, for the inputs in --calibration, so that the model stays the \
          same and its weights lose less. ALPHA, 0 to 1, is how much of the spread of the inputs moves into \
          the weights (SmoothQuant); 'auto' looks for what keeps most of each layer's outputs (AWQ).
          """),
      CommonOption.nonFinite,
      CommonOption.adapter,
      CommonOption.pooling,
      CommonOption.biasType,
      OptionDescription(
        long: "adapter-group-mismatch",
        value: .init("ACTION", .choices(["error", "requantize"]), default: .value("error")),
        help: """
          What to do about QA-LoRA groups that are no multiple of the packed groups: stop, or merge \
          them before quantization, which the adapter was not trained for.
          """),
      OptionDescription(
        long: "requantize",
        help: """
          Take a source that is packed already, by decant or MLX: decode it, and pack it again. What \
          both lose adds up.
          """),
      CommonOption.maxShardSize,
      OptionDescription(
        long: "min-coverage", value: .init("PERCENT"),
        help: """
          Stop before writing if less than this share of the weights would be quantized. With 0 even \
          a conversion that quantizes nothing, or makes the tensors larger, is done.
          """),
      CommonOption.jobs,
      OptionDescription(
        long: "dry-run", help: "Show what would be written, tensor by tensor, and write nothing."),
      CommonOption.force,
      CommonOption.json,
    ],
    examples: [
      .init(
        "decant convert Qwen3-0.6B -o Qwen3-0.6B-4bit",
        "4 bits, with a scale for every 64 weights."),
      .init(
        "decant convert Qwen3-0.6B -o Qwen3-0.6B.gguf", "For llama.cpp, in 16 bits."),
      .init(
        "decant convert Qwen3-0.6B -o Qwen3-0.6B.gguf --type Q4_K_M",
        "For llama.cpp, in its mix of mostly 4 bits."),
      .init(
        "decant convert Qwen3-0.6B -o best --target-bpw 3.5 --text calibration.txt",
        "Run the model over a text, choose widths by what they do to predictions, and quantize with gptq."
      ),
      .init(
        "decant convert Qwen3-0.6B -o small --bits 3 --override '*.down_proj.weight=6:32'",
        "3 bits, but 6 in groups of 32 where it hurts most."),
      .init(
        "decant convert Qwen3-0.6B -o careful --keep '*embed*' --keep 're:layers\\.[01]\\.'",
        "Leave the embedding and the first two layers alone."),
      .init(
        "decant convert Qwen3-0.6B -o best --plan plan.json",
        "With the widths that 'decant plan' chose."),
      .init(
        "decant convert Qwen3-0.6B -o Qwen3-0.6B-4bit --dry-run --min-coverage 95%",
        "See the plan, and fail unless it covers nearly all weights."),
      .init(
        "decant convert Qwen3-0.6B -o tuned --adapter my-adapter",
        "Merge a LoRA adapter before quantization."),
      .init(
        "decant convert Qwen3-0.6B -o smooth --bits 4 --smooth auto --calibration cal.safetensors",
        "Scale channels for the inputs that 'decant calibrate' saw, then quantize."),
      .init(
        "decant convert Qwen3-0.6B -o better --bits 3 --method gptq --calibration cal.safetensors",
        "Let weights make up for one another's errors, on what 'decant calibrate --gram' saw."),
    ],
    discussion: [
      """
      With a budget, widths are chosen as 'decant plan' chooses them. With a text, the model is run over it as \
      by 'decant calibrate', and the result is compared with the source on the last quarter, which nothing \
      else sees.
      """,
      """
      PATTERN is a glob over a tensor's whole name, as in 'model.layers.*.mlp.*', or a regular \
      expression after 're:'. Quote it, so that the shell leaves it alone. A pattern that matches \
      no tensor is an error.
      """,
    ])

  static func run(_ arguments: Arguments, terminal: Terminal) throws -> ExitStatus {
    let path = try arguments.model()
    let runner = try Runner(arguments, terminal)
    let target = try arguments.outputTarget(terminal, takesGGUF: true)
    if try isForLlamaCpp(arguments, target) {
      try writeGGUF(arguments, path: path, target, runner, terminal)
      return .done
    }
    let budget = try BudgetInput.budget(arguments)
    var options = try options(arguments, choosesWidths: budget != nil)
    let adapters = try arguments.adapters()
    let checkpoint = try Checkpoint(path: path)
    try checkInputs(arguments, adapters, target)
    let smoothing = try smoothing(arguments)
    let replacing = arguments.flag("force")
    // Before a model is run for nothing.
    if !replacing, !arguments.flag("dry-run"), FileStatus.exists(target.path),
      !FileStatus.isLink(target.path)
    {
      throw FileError.alreadyExists(path: target.path)
    }
    let known = try CalibrationInput(
      arguments, of: checkpoint,
      .init(
        grams: options.method.needsGrams, sensitivity: budget.map { !$0.isOfWeights } ?? false,
        holdsBack: true), runner, terminal)
    if options.method.needsGrams {
      guard let file = known?.file, file.hasGrams else {
        throw UsageError(
          "--method \(options.method.rawValue) needs the Gram matrices of the inputs, and "
            + (known.map { "\($0.file.path) holds none" } ?? "there is no --calibration"),
          hint:
            "give a text with '--text FILE', or make them with 'decant calibrate \(path) --text FILE"
            + " --gram -o CAL'")
      }
      options.grams = file
    }
    let calibrated = try takeInputs(arguments, known, of: checkpoint, into: &options, runner)
    if let budget {
      options.plan = try plan(budget, arguments, options, checkpoint, calibrated, runner)
    }
    let learns = options.method == .learn
    // What is learned begins with what that packs.
    if learns { options.method = .gptq }
    if let smoothing {
      try fold(checkpoint, smoothing, known?.file, into: &options, runner)
    }
    let plan = try ConversionPlan(checkpoint, options: options, adapters: adapters)
    plan.warnings.forEach(terminal.warn)
    let conversion = try Conversion(plan, target: target)
    var report = ConversionReport(conversion, path: path)
    guard !arguments.flag("dry-run") else {
      try StandardOutput.write(
        arguments.flag("json") ? report.json.prettyText : report.text(terminal))
      // A dry run shows first what it then objects to.
      try conversion.checkGain()
      return .done
    }
    let start = ContinuousClock.now
    if learns, let file = known?.file {
      let outcome = try LearnedConversion(
        conversion: conversion, calibration: file, arguments: arguments, runner: runner
      ).run(replacing: replacing, sourceByteCount: report.sourceByteCount)
      report.finish(outcome.result, seconds: (ContinuousClock.now - start) / .seconds(1))
      report.learned = outcome
    } else {
      let result = try runner.run("convert", byteCount: report.sourceByteCount) {
        try conversion.run(replacing: replacing, $0)
      }
      report.finish(result, seconds: (ContinuousClock.now - start) / .seconds(1))
    }
    // The output is there, whatever becomes of the comparison.
    let evaluation = Result {
      try known?.heldBack.map { text in
        try evaluate(target.path, against: checkpoint, text, arguments, runner)
      }
    }
    report.evaluation = (try? evaluation.get()) ?? nil
    if arguments.flag("json") || !terminal.isQuiet {
      terminal.report(
        arguments.flag("json") ? try report.json.prettyText : try report.text(terminal),
        ofFinished: conversion.destination.target.path)
    }
    _ = try evaluation.get()
    return .done
  }

  /// Refuses an output that is an input.
  static func checkInputs(
    _ arguments: Arguments, _ adapters: AdapterSet?, _ target: OutputTarget
  ) throws {
    let activations = arguments.values("activations")
    try Calibration.checkKinds(activations: activations, cache: [])
    let inputs =
      (adapters?.members.map(\.adapter.path) ?? []) + activations
      + ["plan", "calibration", "text", "tokens"].compactMap { arguments.value($0) }
    for input in inputs { try target.checkApart(from: input) }
  }

  /// Lets errors count what is known of the inputs of layers.
  static func takeInputs(
    _ arguments: Arguments, _ known: CalibrationInput?, of checkpoint: Checkpoint,
    into options: inout ConversionOptions, _ runner: Runner
  ) throws -> CalibratedInputs {
    let activations = arguments.values("activations")
    let calibrated = try CalibratedInputs(dumps: activations, known, of: checkpoint, runner)
    if !activations.isEmpty, calibrated.meanSquares.isEmpty {
      throw UsageError(
        "the files of --activations hold no inputs of linear layers",
        hint: "a dump of keys and values says nothing of what errors in weights count")
    }
    options.meanSquares = calibrated.meanSquares
    options.calibration = try calibrated.recorded()
    return calibrated
  }

  /// What `--smooth` asks for; nil where it is not given.
  ///
  /// - Throws: `UsageError`, also beside what channels cannot be scaled for.
  private static func smoothing(_ arguments: Arguments) throws -> ChannelSmoothing? {
    guard let smoothing = try arguments.smoothing() else { return nil }
    for option in ["adapter", "requantize"] where arguments.isGiven(option) {
      throw UsageError(
        "--smooth and --\(option) cannot be given together",
        hint: option == "adapter"
          ? "adapters were trained on inputs as they are; merge, calibrate and convert one after the other"
          : "channels are scaled before weights are quantized; convert the original")
    }
    return smoothing
  }

  /// Chooses the scales of channels.
  private static func fold(
    _ checkpoint: Checkpoint, _ smoothing: ChannelSmoothing, _ calibration: CalibrationFile?,
    into options: inout ConversionOptions, _ runner: Runner
  ) throws {
    guard let calibration else {
      throw UsageError(
        "--smooth needs the inputs of layers, and there is neither a text nor a --calibration",
        hint: "give a text with '--text FILE', or make it with 'decant calibrate \(checkpoint.path)"
          + " --text FILE -o CAL'")
    }
    // Holds every tensor against the description by which the scales are kept apart.
    _ = try ForwardModel(checkpoint)
    let search = try FoldSearch(
      smoothing, ConversionPlan(checkpoint, options: options), calibration)
    options.folds = try runner.run("smooth", byteCount: search.byteCount, search.run)
    options.smoothing = smoothing
  }

  /// The widths that 'plan' would choose.
  private static func plan(
    _ budget: Budget, _ arguments: Arguments, _ options: ConversionOptions,
    _ checkpoint: Checkpoint, _ calibrated: CalibratedInputs, _ runner: Runner
  ) throws -> BitPlan {
    var candidates = CandidateOptions()
    candidates.overrides = options.overrides
    var options = options
    // No width is measured with gptq: what that gains is alike for all.
    if options.method.needsGrams { options.method = .search }
    candidates.method = options.method
    options.groupSize = candidates.groupSizes.max() ?? options.groupSize
    let plan = try ConversionPlan(checkpoint, options: options)
    candidates.offerWidths(for: budget, of: plan)
    let work = PlanWork(plan: plan, calibrated: calibrated, runner: runner)
    return try work.planner(candidates, request: BudgetInput.request(arguments)).plan(budget)
  }

  /// What the predictions of the output lose.
  private static func evaluate(
    _ output: String, against source: Checkpoint, _ text: TextInput, _ arguments: Arguments,
    _ runner: Runner
  ) throws -> EvaluationReport {
    // A single file has no configuration beside it.
    let models = [
      try ForwardModel(
        Checkpoint(path: output), configuration: source.configDocument?.json),
      try ForwardModel(source),
    ]
    let options = try MemoryBound.options(
      arguments, models: models, tokens: text.tokens.count, longestWindow: text.windows.length)
    let divergence = try runner.run("eval", byteCount: Evaluation.byteCount(of: models)) {
      try Evaluation(text.windows, options: options, $0)
        .divergence(of: models[0], from: models[1], on: text.tokens)
    }
    return EvaluationReport(
      path: output, plan: text.windows, basePath: source.path, result: .divergence(divergence))
  }

  private static func options(
    _ arguments: Arguments, choosesWidths: Bool
  ) throws -> ConversionOptions {
    var options = ConversionOptions()
    if TextInput.isGiven(arguments) { options.method = .gptq }
    try arguments.readWidthOptions(into: &options)
    if options.method == .learn, arguments.isGiven("adapter") {
      throw UsageError(
        "--method learn brings a model to what its source computes, and --adapter changes that",
        hint: "merge the adapter first, or use '--method gptq'")
    }
    if choosesWidths, let option = ["plan", "bits", "group-size"].first(where: arguments.isGiven) {
      throw UsageError(
        "--\(option) and a budget cannot be given together",
        hint: option == "plan"
          ? "leave one of them out" : "settle widths of some tensors with '--override'")
    }
    // No plan is measured with GPTQ: the method is not the plan's choice then.
    let decided =
      ["bits", "group-size", "scale-dtype", "override", "keep"]
      + (options.method.needsGrams ? [] : ["method"])
    for option in ["activations", "calibration", "text", "tokens"]
    where arguments.isGiven(option) && options.method == .minmax && !arguments.isGiven("smooth") {
      throw UsageError(
        "--\(option) changes nothing with --method minmax", hint: "leave one of them out")
    }
    if arguments.isGiven("plan"), let option = decided.first(where: arguments.isGiven) {
      throw UsageError(
        "--\(option) and --plan cannot be given together",
        hint: "edit the plan, or make another with 'decant plan'")
    }
    options.bits = try arguments.int("bits") ?? options.bits
    options.groupSize = try arguments.int("group-size") ?? options.groupSize
    options.plan = try arguments.value("plan").map(BitPlan.init(path:))
    options.biasType = arguments.value("bias-dtype").flatMap {
      ScaleType(rawValue: $0.uppercased())
    }
    options.requantizes = arguments.flag("requantize")
    options.mergesMismatchedGroups = arguments.value("adapter-group-mismatch") == "requantize"
    options.shardLimit = try arguments.size("max-shard-size")?.bytes ?? options.shardLimit
    options.minimumCoverage = try arguments.percent("min-coverage").map { $0 / 100 }
    return options
  }
}
