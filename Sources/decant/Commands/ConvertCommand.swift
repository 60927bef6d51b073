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
      CommonOption.output,
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
        value: .init("NAME", .choices(["search", "minmax", "gptq"]), default: .value("search")),
        help: """
          How scales and codes are chosen. 'search' tries several scales for each group and keeps the one \
          with the least error; 'minmax' spans the group's range and is faster; 'gptq' starts from the \
          search and lets the weights of a row make up for one another's errors, for the inputs in \
          --calibration.
          """),
      CommonOption.scaleType,
      CommonOption.override,
      CommonOption.keep,
      CommonOption.calibration,
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
          Take a source that is packed already, by decant or MLX: decode it, and pack it again. What           both lose adds up.
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
      PATTERN is a glob over a tensor's whole name, as in 'model.layers.*.mlp.*', or a regular \
      expression after 're:'. Quote it, so that the shell leaves it alone. A pattern that matches \
      no tensor is an error.
      """
    ])

  static func run(_ arguments: Arguments, terminal: Terminal) throws -> ExitStatus {
    let path = arguments.operands[0]
    let runner = try Runner(arguments, terminal)
    var options = try options(arguments)
    let adapters = try arguments.adapters()
    let checkpoint = try Checkpoint(path: path)
    let activations = arguments.values("activations")
    let calibration = try arguments.calibration(of: checkpoint, runner)
    if !activations.isEmpty || calibration != nil {
      try Calibration.checkKinds(activations: activations, cache: [])
      options.meanSquares = try meanSquares(activations, calibration, of: checkpoint, runner)
      options.calibration = try (activations + arguments.values("calibration")).map(
        BitPlan.Input.init(path:))
    }
    if options.method.needsGrams {
      guard let calibration, calibration.hasGrams else {
        throw UsageError(
          "--method gptq needs the Gram matrices of the inputs, and "
            + (calibration.map { "\($0.path) holds none" } ?? "there is no --calibration"),
          hint: "make them with 'decant calibrate \(path) --text FILE --gram -o CAL'")
      }
      options.grams = calibration
    }
    if let smoothing = try arguments.smoothing() {
      try fold(checkpoint, smoothing, calibration, into: &options, runner)
    }
    let plan = try ConversionPlan(checkpoint, options: options, adapters: adapters)
    plan.warnings.forEach(terminal.warn)
    let conversion = try Conversion(plan, target: arguments.outputTarget(terminal))
    var report = ConversionReport(conversion, path: path)
    let isDryRun = arguments.flag("dry-run")
    if !isDryRun {
      let others =
        (adapters?.members.map(\.adapter.path) ?? []) + arguments.values("plan") + activations
        + arguments.values("calibration")
      for input in others { try conversion.destination.target.checkApart(from: input) }
      let start = ContinuousClock.now
      let result = try runner.run("convert", byteCount: report.sourceByteCount) {
        try conversion.run(replacing: arguments.flag("force"), $0)
      }
      report.finish(result, seconds: (ContinuousClock.now - start) / .seconds(1))
    }
    guard arguments.flag("json") || isDryRun || !terminal.isQuiet else { return .done }
    let text = arguments.flag("json") ? try report.json.prettyText : try report.text(terminal)
    if isDryRun {
      try StandardOutput.write(text)
    } else {
      terminal.report(text, ofFinished: conversion.destination.target.path)
    }
    // A dry run shows first what it then objects to.
    if arguments.flag("dry-run") { try conversion.checkGain() }
    return .done
  }

  /// Chooses the scales of channels.
  private static func fold(
    _ checkpoint: Checkpoint, _ smoothing: ChannelSmoothing, _ calibration: CalibrationFile?,
    into options: inout ConversionOptions, _ runner: Runner
  ) throws {
    guard let calibration else {
      throw UsageError(
        "--smooth needs the inputs of layers, and there is no --calibration",
        hint: "make it with 'decant calibrate \(checkpoint.path) --text FILE -o CAL'")
    }
    // Holds every tensor against the description by which the scales are kept apart.
    _ = try ForwardModel(checkpoint)
    let search = try FoldSearch(
      smoothing, ConversionPlan(checkpoint, options: options), calibration)
    options.folds = try runner.run("smooth", byteCount: search.byteCount, search.run)
    options.smoothing = smoothing
  }

  /// E[x²] of the inputs that were captured.
  private static func meanSquares(
    _ paths: [String], _ file: CalibrationFile?, of checkpoint: Checkpoint, _ runner: Runner
  ) throws -> [String: [Float]] {
    var options = MeasureOptions()
    options.keepsChannels = true
    let calibration = try Calibration(paths, of: checkpoint, options: options)
    let measured = try runner.run("dumps", byteCount: calibration.byteCount, calibration.run)
    let squares = calibration.meanSquares(measured.map(\.figures) + (file?.figures ?? []))
    guard !squares.isEmpty else {
      throw UsageError(
        "the files of --activations hold no inputs of linear layers",
        hint: "a dump of keys and values says nothing of what errors in weights count")
    }
    return squares
  }

  private static func options(_ arguments: Arguments) throws -> ConversionOptions {
    // No plan is measured with GPTQ: the method is not the plan's choice then.
    let isGPTQ = arguments.value("method") == QuantizationMethod.gptq.rawValue
    let decided =
      ["bits", "group-size", "scale-dtype", "override", "keep"] + (isGPTQ ? [] : ["method"])
    for option in ["activations", "calibration"]
    where arguments.isGiven(option) && arguments.value("method") == "minmax"
      && !(option == "calibration" && arguments.isGiven("smooth"))
    {
      throw UsageError(
        "--\(option) changes nothing with --method minmax", hint: "leave one of them out")
    }
    if arguments.isGiven("plan"), let option = decided.first(where: arguments.isGiven) {
      throw UsageError(
        "--\(option) and --plan cannot be given together",
        hint: "edit the plan, or make another with 'decant plan'")
    }
    var options = ConversionOptions()
    options.bits = try arguments.int("bits") ?? options.bits
    options.groupSize = try arguments.int("group-size") ?? options.groupSize
    try arguments.readWidthOptions(into: &options)
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
