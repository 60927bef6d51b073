import Convert
import Formats
import Model

/// A model for llama.cpp: one GGUF file.
extension ConvertCommand {
  static let destinationOptions = [
    OptionDescription(
      long: "for", value: .init("RUNTIME", .choices(["mlx", "llama.cpp"])),
      help: """
        Who will load the output. Without it the name of OUT says so: llama.cpp where it ends in .gguf, \
        else MLX.
        """),
    OptionDescription(
      long: "type",
      value: .init(
        "TYPE", .choices(["auto"] + GGUFTypes.all.map(\.name)), default: .value("auto")),
      help: """
        For llama.cpp: the type of weights. 'auto' is BF16 for what is stored so, else F16. Those with _S, _M \
        and _L, Q6_K and Q2_K are llama.cpp's mixes, the others one type for all matrices. Vectors, and what \
        llama.cpp only takes in F32, have that.
        """),
  ]

  /// What may be said of a GGUF file; all else is about packing for MLX.
  private static let commonOptions: Set = [
    "output", "for", "type", "calibration", "activations", "non-finite", "jobs", "dry-run", "force",
    "json",
  ]

  /// Whether the output is for llama.cpp.
  ///
  /// - Throws: `UsageError` where the name of the output is that of another, or options make no sense for it.
  static func isForLlamaCpp(_ arguments: Arguments, _ target: OutputTarget) throws(UsageError)
    -> Bool
  {
    let runtime = arguments.value("for")
    if runtime == "llama.cpp", !target.isGGUF {
      throw UsageError(
        "llama.cpp reads GGUF files, and \(target.path) is none",
        hint: "end the name of the output in .gguf")
    }
    if runtime == "mlx", target.isGGUF {
      throw UsageError(
        "MLX reads no GGUF files", hint: "leave the ending .gguf out, or '--for mlx'")
    }
    if !target.isGGUF, arguments.isGiven("type") {
      throw UsageError(
        "--type is for llama.cpp", hint: "end the name of the output in .gguf, or give --bits")
    }
    if target.isGGUF,
      let other = description.options.first(where: {
        !commonOptions.contains($0.long) && arguments.isGiven($0.long)
      })
    {
      throw UsageError(
        "--\(other.long) is not for GGUF files", hint: "leave it out; '--type' says what they hold")
    }
    return target.isGGUF
  }

  static func writeGGUF(
    _ arguments: Arguments, path: String, _ target: OutputTarget, _ runner: Runner,
    _ terminal: Terminal
  ) throws {
    var options = ConversionOptions()
    options.ggufTypes = arguments.value("type").flatMap { GGUFTypes($0) }
    options.nonFinite = arguments.choice("non-finite", as: NonFinitePolicy.self) ?? .error
    if options.ggufTypes?.areBlocks != true,
      let option = ["calibration", "activations"].first(where: arguments.isGiven)
    {
      throw UsageError(
        "--\(option) is for weights that are quantized",
        hint: "give a type of blocks, as in '--type Q4_K_M'")
    }
    let checkpoint = try Checkpoint(path: path)
    try checkInputs(arguments, nil, target)
    let known = try CalibrationInput(arguments, of: checkpoint, .init(), runner, terminal)
    _ = try takeInputs(arguments, known, of: checkpoint, into: &options, runner)
    let plan = try ConversionPlan(checkpoint, options: options, arrangement: .gguf)
    plan.warnings.forEach(terminal.warn)
    let conversion = try Conversion(plan, target: target)
    var report = ConversionReport(conversion, path: path)
    guard !arguments.flag("dry-run") else {
      return try StandardOutput.write(
        arguments.flag("json") ? report.json.prettyText : report.text(terminal))
    }
    let start = ContinuousClock.now
    let result = try runner.run("convert", byteCount: report.sourceByteCount) {
      try conversion.run(replacing: arguments.flag("force"), $0)
    }
    report.finish(result, seconds: (ContinuousClock.now - start) / .seconds(1))
    if arguments.flag("json") || !terminal.isQuiet {
      terminal.report(
        arguments.flag("json") ? try report.json.prettyText : try report.text(terminal),
        ofFinished: target.path)
    }
  }
}
