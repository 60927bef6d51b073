import Convert
import Formats
import Forward
import Foundation

/// What is known of what a model computes, as the commands that use it are told: a file that 'calibrate' left, or
/// a text that the model is run over now.
struct CalibrationInput {
  let file: CalibrationFile
  /// What stands for it in the records of what is made from it: the file, or the text.
  let paths: [String]
  /// The end of the text, which the calibration did not see.
  let heldBack: TextInput?
  /// While there is no other, the place of the file.
  private let place: ReportFile?

  static let calibration = OptionDescription(
    long: "calibration", value: .init("CAL", .path),
    help: """
      What 'decant calibrate' measured: errors then count where inputs are large. It must be of this model.
      """)

  static let sensitivityTokens = OptionDescription(
    long: "sensitivity-tokens",
    value: .init("N", default: .described("\(SensitivityRun.usualTokens)")),
    help: "Tokens over which the loss of each tensor is measured.")

  static let keep = OptionDescription(
    long: "keep-calibration", value: .init("CAL", .path),
    help: """
      Keep what was measured over the text, for --calibration: given that, what is made from it is the same \
      on every machine.
      """)

  /// What is measured over a text.
  struct Wanted {
    var grams = false
    var sensitivity = false
    /// Whether the end of the text is left to judge the result by. Only then `--context` is of the text, which
    /// then has a usual limit.
    var holdsBack = false
  }

  /// Nil where neither is given.
  ///
  /// - Throws: `UsageError` for options that mean nothing or exclude each other; as `CalibrationFile.init` and
  ///   `TextCalibration.run`.
  init?(
    _ arguments: Arguments, of checkpoint: Checkpoint, _ wanted: Wanted, _ runner: Runner,
    _ terminal: Terminal
  ) throws {
    if let path = arguments.value("calibration") {
      guard !TextInput.isGiven(arguments) else {
        throw UsageError(
          "--calibration already is what was measured over a text",
          hint: "leave one of them out")
      }
      try Self.refuse(Self.textOptions, arguments, "needs a text")
      file = try Self.open(path, for: checkpoint, runner)
      paths = [path]
      (heldBack, place) = (nil, nil)
      return
    }
    guard TextInput.isGiven(arguments) else {
      try Self.refuse(Self.textOptions, arguments, "needs a text")
      return nil
    }
    if !wanted.sensitivity {
      try Self.refuse(["sensitivity-tokens"], arguments, "means nothing where no widths are chosen")
    }
    let model = try ForwardModel(checkpoint)
    let whole = try TextInput(
      arguments, for: model, hasWindows: wanted.holdsBack,
      usualLimit: wanted.holdsBack ? TextInput.usualLimit : nil)
    let (text, heldBack) = wanted.holdsBack ? try whole.holdingBack() : (whole, nil)
    let inputs = CommandInputs(checkpoint, and: text.paths)
    let kept = try arguments.reportFile("keep-calibration", inputs: inputs, terminal: terminal)
    let place = try kept ?? Self.temporary(inputs)
    let tokens =
      try arguments.count("sensitivity-tokens", in: 2...1 << 24) ?? SensitivityRun.usualTokens
    let summary = try Self.measure(
      model, text, arguments, grams: wanted.grams,
      sensitivityTokens: wanted.sensitivity ? tokens : nil, to: place, runner)
    summary.warnings.forEach(terminal.warn)
    try kept?.finish()
    let path = kept == nil ? place.temporaryPath : arguments.value("keep-calibration") ?? ""
    file = try Self.open(path, for: checkpoint, runner)
    paths = text.paths
    self.heldBack = heldBack
    self.place = place
  }

  private static let textOptions = [
    "tokens-limit", "max-memory", "sensitivity-tokens", "keep-calibration",
  ]

  private static func refuse(
    _ options: [String], _ arguments: Arguments, _ why: String
  ) throws(UsageError) {
    guard let option = options.first(where: arguments.isGiven) else { return }
    throw UsageError("'--\(option)' \(why)", hint: "give one with '--text FILE', or leave it out")
  }

  /// Removed with all that is in it when it is no longer held.
  private static func temporary(_ inputs: CommandInputs) throws -> ReportFile {
    try ReportFile(
      path: FileManager.default.temporaryDirectory.appending(
        path: "decant-\(ProcessInfo.processInfo.processIdentifier)-calibration"
      ).path, replacing: false, inputs: inputs)
  }

  /// - Throws: as `CalibrationFile.init`.
  static func open(
    _ path: String, for checkpoint: Checkpoint, _ runner: Runner
  ) throws -> CalibrationFile {
    try runner.run("check", byteCount: checkpoint.inputs.reduce(0) { $0 + $1.byteCount }) {
      try CalibrationFile(path: path, for: checkpoint, $0)
    }
  }

  /// Runs the model, and writes what it computed.
  ///
  /// - Throws: as `TextCalibration.run`; `UsageError`.
  static func measure(
    _ model: ForwardModel, _ text: TextInput, _ arguments: Arguments, grams: Bool,
    sensitivityTokens: Int?, to file: ReportFile, _ runner: Runner
  ) throws -> TextCalibration.Summary {
    let modules = grams ? try ConversionPlan.quantizedModules(of: model.checkpoint) : []
    let calibration = try TextCalibration(
      model, text.tokens, text.windows, gramsOf: modules, sensitivityTokens: sensitivityTokens,
      options: try MemoryBound.options(
        arguments, models: sensitivityTokens == nil ? [model] : [model, model],
        tokens: text.tokens.count, longestWindow: text.windows.length))
    let textFile = try InputFile(path: text.paths[0])
    return try runner.run("calibrate", byteCount: calibration.byteCount) {
      try calibration.run(to: file.temporaryPath, of: textFile, $0)
    }
  }
}
