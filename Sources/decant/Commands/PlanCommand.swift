import Convert
import Formats

enum PlanCommand: Command {
  static let description = CommandDescription(
    name: "plan",
    summary: "choose a bit width for every tensor under a budget",
    operands: [CommonOption.path],
    options: BudgetInput.options + [
      OptionDescription(
        long: "preset", value: .init("NAME", .choices(Preset.allCases.map(\.rawValue))),
        help: """
          Start from what Qllm-Eval recommends for a kind of task: the size of its weights is the \
          budget unless another is given; activations and cache become settings of the plan.
          """),
      OptionDescription(
        long: "activations", value: .init("FILE", .path),
        help: """
          A dump of the inputs of linear layers, or an importance matrix: errors then count where \
          inputs are large.
          """,
        isRepeatable: true),
      CalibrationInput.calibration,
      OptionDescription(
        long: "kv", value: .init("FILE", .path),
        help: "A dump of keys and values, to choose widths of the cache.",
        isRepeatable: true),
      OptionDescription(
        long: "kv-budget", value: .init("X"),
        help:
          "Bits of an element of the cache on average, scales counted; needs --kv, --text or --calibration."
      ),
      OptionDescription(
        long: "kv-bits", value: .init("LIST", default: .value("3,4,8,16")),
        help: "Widths of the cache to choose from."),
      OptionDescription(
        long: "kv-per-token",
        help: "Only groups within a token, as mlx-lm and llama.cpp have them."),
      OptionDescription(
        long: "activation-bits", value: .init("LIST", default: .value("8,16")),
        help: "Widths of activations to choose from, where they are measured."),
    ] + TextInput.sources + [
      CalibrationInput.sensitivityTokens, CalibrationInput.keep, MemoryBound.option,
      OptionDescription(
        long: "allow-bits",
        value: .init(
          "LIST", default: .described("3,4,5,6,8; for less than 4 bits per weight 2 as well")),
        help: "Widths to choose from."),
      OptionDescription(
        long: "allow-groups", value: .init("LIST", default: .value("32,64,128")),
        help: "Group sizes to choose from."),
      OptionDescription(
        long: "tie", value: .init("LIST"),
        help: "Give tensors that a runtime fuses one width: qkv, gate_up."),
      CommonOption.override, CommonOption.keep, CommonOption.method, CommonOption.scaleType,
      CommonOption.nonFinite,
      OptionDescription(
        long: "sample", value: .init("N", default: .value("262144")),
        help: "Weights of each tensor to measure, in evenly spaced blocks; 'all' for every one."),
      OptionDescription(
        long: "output", short: "o", value: .init("PLAN", .path),
        help: "Where to write the plan, for 'decant convert --plan'."),
      OptionDescription(
        long: "memory", value: .init("SIZE"),
        help: "Say what fits a machine with so much memory, as in 24GB or 16GiB."),
      OptionDescription(
        long: "context", value: .init("TOKENS", default: .value("4096")),
        help: "Tokens of each sequence, for --memory, as in 4096 or 32k (k is 1,024)."),
      OptionDescription(
        long: "batch", value: .init("N", default: .value("1")),
        help: "Sequences at a time, for --memory."),
      OptionDescription(
        long: "html", value: .init("FILE", .path),
        help: "Also write a page with the widths, the curve of error and size, and the reasons."),
      OptionDescription(
        long: "curve", help: "Show the least error for every size."),
      OptionDescription(
        long: "keep-going",
        help: "Leave out what is wrong in a dump, say so, and go on."),
      CommonOption.jobs, CommonOption.force, CommonOption.json,
    ],
    examples: [
      .init(
        "decant plan Qwen3-0.6B --target-bpw 4.25 -o plan.json",
        "The best widths for 4.25 bits per weight."),
      .init(
        "decant convert Qwen3-0.6B --plan plan.json -o Qwen3-0.6B-4.25bpw", "Convert with them."),
      .init(
        "decant plan Qwen3-0.6B --target-size 400MB --text calibration.txt --tokens-limit 4096",
        "Weigh errors by the inputs that the model has when it reads a text."),
      .init(
        "decant plan Qwen3-0.6B --preset long-context --memory 24GB --context 32768",
        "What the literature recommends for long texts, and whether it fits."),
      .init(
        "decant plan Qwen3-0.6B --min-sqnr 25 --allow-bits 4,8 --tie qkv,gate_up",
        "The smallest output that is exact enough, for a runtime that fuses layers."),
    ],
    discussion: [
      """
      Every tensor is really quantized in every way that is allowed, with the method that \
      'convert' uses. The widths with the least total error within the budget are found by an exact \
      search; the plan says how far from the optimum they may be, and why each tensor has its width.
      """,
      """
      The relative error of a tensor is the squared error of its outputs over their square, with the inputs \
      taken as uncorrelated. Without --text, \
      --calibration or --activations all inputs count alike. With --text, or a calibration with \
      --sensitivity, the loss of a tensor is instead what quantizing it does to the model's predictions.
      """,
    ])

  static func run(_ arguments: Arguments, terminal: Terminal) throws -> ExitStatus {
    let runner = try Runner(arguments, terminal)
    let preset = arguments.choice("preset", as: Preset.self)
    let budget = try BudgetInput.budget(arguments)
    guard budget != nil || preset != nil else {
      throw UsageError(
        "no budget given", hint: "give one of \(BudgetInput.words) and --preset")
    }
    let ties = try ties(arguments)
    try checkDumps(arguments)
    var options = ConversionOptions()
    try arguments.readWidthOptions(into: &options)
    var candidateOptions = try candidateOptions(arguments)
    candidateOptions.overrides = options.overrides
    candidateOptions.method = options.method
    options.groupSize = candidateOptions.groupSizes.max() ?? options.groupSize

    // Widths of a packed source are those of packing it again.
    options.requantizes = true

    let checkpoint = try Checkpoint(path: arguments.model())
    let plan = try ConversionPlan(checkpoint, options: options)
    plan.warnings.forEach(terminal.warn)
    let dumps = arguments.values("activations") + arguments.values("kv")
    let inputs = CommandInputs(
      checkpoint,
      and: dumps
        + ["calibration", "text", "tokens"].compactMap { arguments.value($0) })
    let file = try arguments.reportFile("output", inputs: inputs, terminal: terminal)
    let page = try arguments.reportFile("html", inputs: inputs, terminal: terminal)
    let known = try CalibrationInput(
      arguments, of: checkpoint, .init(sensitivity: budget?.isOfWeights != true), runner, terminal)
    let settings = preset.map { PlanSettings($0, for: plan) }
    let chosen = budget ?? .uniform(bits: settings?.recommendation.weights.bits ?? 4, groupSize: 64)
    if !arguments.isGiven("allow-bits") { candidateOptions.offerWidths(for: chosen, of: plan) }
    let calibrated = try CalibratedInputs(
      dumps: dumps, known, of: checkpoint, keepsGoing: arguments.flag("keep-going"), runner)
    let work = PlanWork(plan: plan, calibrated: calibrated, runner: runner)
    let cache = try cacheWidths(arguments, calibrated)
    let activations = try activationWidths(
      arguments, work, weightBits: settings?.recommendation.weights.bits ?? 4)
    let members: [(String, JSONValue?)] = [
      ("preset", settings?.json), ("kv_cache", cache?.json), ("activations", activations?.json),
    ]
    let planner = try work.planner(
      candidateOptions, ties: ties, request: request(arguments, bits: candidateOptions.bits),
      settings: members.compactMap { name, value in value.map { .init(name, $0) } })
    let bitPlan = try planner.plan(chosen)
    let byteCount = try planner.outputByteCount(bitPlan)
    let fit = try fit(
      arguments, plan.assigning(bitPlan), cache?.format ?? settings?.cacheFormat)
    let report = BitPlanReport(
      bitPlan, predictedByteCount: byteCount, settings: settings,
      cache: cache, activations: activations, fit: fit, problems: calibrated.problems)
    try file?.write(report.json.prettyText)
    try page?.write(
      PlanPage(
        plan: bitPlan, predictedByteCount: byteCount, path: checkpoint.path,
        asked: asked(arguments, bits: candidateOptions.bits), planFile: arguments.value("output"),
        circumstances: .init(settings: settings, cache: cache, activations: activations, fit: fit),
        origin: PageOrigin(
          command: arguments.line, models: [(checkpoint.path, bitPlan.sources)],
          data: report.json.compactText, remark: "; the plan, as --output writes it")
      ).html)
    let isJSON = arguments.flag("json")
    let text =
      isJSON
      ? report.json.prettyText : report.text(terminal, withCurve: arguments.flag("curve"))
    // The plan is there already, or the page that says the same.
    let written = arguments.value("output") ?? (isJSON ? nil : arguments.value("html"))
    if let written {
      terminal.report(text, ofFinished: written)
    } else {
      try StandardOutput.write(text)
    }
    return .done
  }

  /// A dump that would change nothing is a mistake, and is not passed over.
  private static func checkDumps(_ arguments: Arguments) throws {
    guard arguments.isGiven("kv-budget") || !arguments.isGiven("kv") else {
      throw UsageError(
        "--kv needs a budget for the cache", hint: "give the bits of an element with --kv-budget")
    }
    try Calibration.checkKinds(
      activations: arguments.values("activations"), cache: arguments.values("kv"))
  }

  private static func cacheWidths(
    _ arguments: Arguments, _ calibrated: CalibratedInputs
  ) throws -> CacheWidths? {
    guard let budget = try arguments.number("kv-budget") else { return nil }
    guard
      arguments.isGiven("kv") || arguments.isGiven("calibration") || TextInput.isGiven(arguments)
    else {
      throw UsageError(
        "--kv-budget needs a dump of the cache, a text, or a calibration file",
        hint: "give one with --kv, --text or --calibration")
    }
    return try CacheWidths(
      calibrated.figures, sensitivity: calibrated.sensitivity, averageBits: budget,
      allowedBits: try arguments.list("kv-bits", of: MeasureOptions.cacheBits + [16]),
      groups: arguments.flag("kv-per-token") ? .perTokenOnly : .keysAlsoPerChannel)
  }

  private static func activationWidths(
    _ arguments: Arguments, _ work: PlanWork, weightBits: Int
  ) throws -> ActivationWidths? {
    let figures = work.calibrated.figures
    guard figures.contains(where: { $0.kind == .activation }) else { return nil }
    var options = ActivationWidths.Options()
    options.allowedBits = try arguments.list(
      "activation-bits", of: MeasureOptions.activationBits + [16])
    options.weightBits = weightBits
    return try ActivationWidths(figures + work.smoothableWeights(), options: options)
  }

  private static func fit(
    _ arguments: Arguments, _ plan: ConversionPlan, _ cache: CacheFormat?
  ) throws -> ModelFit? {
    guard arguments.isGiven("memory") || arguments.isGiven("context") else { return nil }
    return try ModelFit(
      plan, format: cache ?? .f16,
      context: try arguments.count("context", in: 1...MemoryEstimate.longestContext) ?? 4096,
      batch: try arguments.int("batch", in: 1...1 << 20) ?? 1,
      budget: try arguments.size("memory")?.bytes)
  }

  private static func candidateOptions(_ arguments: Arguments) throws -> CandidateOptions {
    var options = CandidateOptions()
    if arguments.isGiven("allow-bits") {
      options.bits = try arguments.list("allow-bits", of: AffineLayout.allowedBits)
    }
    options.groupSizes = try arguments.list("allow-groups", of: AffineLayout.allowedGroupSizes)
    options.sampleSize =
      arguments.value("sample") == "all" ? nil : try arguments.count("sample", in: 4096...(1 << 40))
    return options
  }

  private static func ties(_ arguments: Arguments) throws -> Set<Tie> {
    let words = (arguments.value("tie") ?? "").split(separator: ",").map(String.init)
    return Set(
      try words.map { word in
        guard let tie = Tie(rawValue: word) else {
          throw UsageError("'\(word)' is no value for '--tie'", hint: "give qkv, gate_up, or both")
        }
        return tie
      })
  }

  /// Those that only say what to do with the plan.
  private static let incidental = [
    "output", "html", "curve", "keep-going", "keep-calibration", "max-memory", "jobs", "force",
    "json",
  ]

  /// The options that were given, and the widths and the method that hold where none are, for people.
  private static func asked(
    _ arguments: Arguments, bits: [Int]
  ) -> [(option: String, value: String)] {
    let usual = [
      "allow-bits": bits.map(String.init).joined(separator: ","),
      "allow-groups": arguments.value("allow-groups") ?? "",
      "method": arguments.value("method") ?? "",
    ]
    return description.options.compactMap { option in
      guard !incidental.contains(option.long) else { return nil }
      guard arguments.isGiven(option.long) else {
        return usual[option.long].map { (option.long, "\($0) (usual)") }
      }
      let value = option.isFlag ? "yes" : arguments.values(option.long).joined(separator: ", ")
      return (option.long, value)
    }
  }

  /// The options that were given, for the record.
  private static func request(_ arguments: Arguments, bits: [Int]) -> JSONValue {
    var json = BudgetInput.request(arguments, BudgetInput.names + ["preset", "tie", "sample"])
    json["allow_bits"] = .string(
      arguments.value("allow-bits") ?? bits.map(String.init).joined(separator: ","))
    json["allow_groups"] = arguments.value("allow-groups").map { .string($0) }
    for name in ["override", "keep"] {
      json[name] = .array(arguments.values(name).map { .string($0) })
    }
    return json
  }
}
