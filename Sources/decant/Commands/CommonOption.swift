import Convert
import Formats
import Foundation

/// Options that several commands take, and that must mean the same in each.
enum CommonOption {
  static let jobs = OptionDescription(
    long: "jobs", short: "j", value: .init("N", default: .described("all cores")),
    help: "Threads to use. The output does not depend on it.")
  static let json = OptionDescription(
    long: "json", help: "Print the result as JSON on standard output.")
  static let force = OptionDescription(
    long: "force", help: "Replace the output if it exists; never a link, a device or an input.")
  static let maxShardSize = OptionDescription(
    long: "max-shard-size", value: .init("SIZE", default: .value("5GB")),
    help: """
      Begin a new file where one would grow beyond SIZE, as in 5GB, 1.5GB (decimal) or 512MiB \
      (binary).
      """)
  /// For the commands that write a checkpoint.
  static let output = OptionDescription(
    long: "output", short: "o", value: .init("OUT", .directory),
    help: """
      One file where the name ends in .safetensors, else a directory; no symbolic link, and no name \
      with the ending of another format.
      """,
    isRequired: true)

  // For the commands that quantize.
  static let method = OptionDescription(
    long: "method",
    value: .init("NAME", .choices(["search", "minmax"]), default: .value("search")),
    help: """
      How scales are chosen. 'search' tries several for each group and keeps the one with the \
      least error; 'minmax' spans the group's range and is faster.
      """)
  static let scaleType = OptionDescription(
    long: "scale-dtype",
    value: .init("TYPE", .choices(["auto", "f16", "bf16", "f32"]), default: .value("auto")),
    help: "The element type of the scales. 'auto' takes that of the weights.")
  static let override = OptionDescription(
    long: "override", value: .init("PATTERN=BITS[:GROUP]"),
    help: "Other bits, and another group size, for the tensors that PATTERN matches.",
    isRepeatable: true)
  static let keep = OptionDescription(
    long: "keep", value: .init("PATTERN"),
    help: "Leave the tensors that PATTERN matches as they are.", isRepeatable: true)
  static let nonFinite = OptionDescription(
    long: "non-finite",
    value: .init("ACTION", .choices(["error", "zero"]), default: .value("error")),
    help: "What to do about a NaN or an infinity: stop, or write a zero.")

  /// For the commands that merge adapters.
  static let adapter = OptionDescription(
    long: "adapter", value: .init("DIR[=WEIGHT]", .path),
    help: """
      A PEFT adapter directory, with the weight that it counts with (1 where none is given).
      """,
    isRepeatable: true)
  static let pooling = OptionDescription(
    long: "pooling",
    value: .init("RULE", .choices(PoolingConvention.allCases.map(\.rawValue))),
    help: """
      How QA-LoRA adapters pooled their inputs, where they do not say it themselves. 'mean' is what \
      the authors' programs do, 'sum' what their paper writes, 'peft' what PEFT does.
      """)

  static let biasType = OptionDescription(
    long: "bias-dtype",
    value: .init(
      "TYPE", .choices(["f16", "bf16", "f32"]), default: .described("that of the scales")),
    help: """
      The element type of biases that adapters are merged into. 'f32' avoids their rounding; runtimes \
      then compute these layers in F32.
      """)

  /// For the commands that read a checkpoint.
  static let path = OperandDescription(
    name: "PATH",
    help:
      "A checkpoint: a directory, one .safetensors file, or a model of the Hugging Face cache by name.",
    accepts: .path)
}

extension Arguments {
  /// Where the model is that an operand names.
  ///
  /// - Throws: `SourceError.notInCache`.
  func model(_ index: Int = 0) throws(SourceError) -> String {
    try HubCache().path(of: operands[index])
  }

  /// Where the model is that an option names, if it is given.
  ///
  /// - Throws: `SourceError.notInCache`.
  func model(_ long: String) throws(SourceError) -> String? {
    guard let name = value(long) else { return nil }
    return try HubCache().path(of: name)
  }

  /// What `--output` names.
  ///
  /// - Parameter takesGGUF: whether it may be a GGUF file.
  /// - Throws: `OutputError.unknownEnding`.
  func outputTarget(_ terminal: Terminal, takesGGUF: Bool = false) throws -> OutputTarget {
    var target = OutputTarget(path: value("output") ?? "", takesGGUF: takesGGUF)
    try target.checkEnding()
    target.notice = { terminal.show($0) }
    return target
  }

  /// Threads to use: `--jobs`, else one for every core.
  func threads() throws(UsageError) -> Int {
    try int("jobs", in: 1...1024) ?? ProcessInfo.processInfo.activeProcessorCount
  }

  /// Reads the options of the commands that quantize, but for bits and group size.
  func readWidthOptions(into options: inout ConversionOptions) throws {
    options.method = choice("method", as: QuantizationMethod.self) ?? options.method
    options.scaleType = value("scale-dtype").flatMap { ScaleType(rawValue: $0.uppercased()) }
    options.overrides = try values("override").map(ConversionOptions.Override.init(parsing:))
    options.keep = try values("keep").map { try NamePattern($0) }
    options.nonFinite =
      choice("non-finite", as: NonFinitePolicy.self) ?? options.nonFinite
  }

  /// Numbers with commas between them, each one of `allowed`; in rising order.
  func list(_ long: String, of allowed: [Int]) throws(UsageError) -> [Int] {
    let text = value(long) ?? ""
    let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
    guard !numbers.isEmpty, numbers.allSatisfy({ $0.map(allowed.contains) ?? false }) else {
      throw UsageError(
        "'\(text)' is no value for '--\(long)'",
        hint: "give some of " + allowed.map(String.init).joined(separator: ",")
          + " with commas between them")
    }
    return Set(numbers.compactMap(\.self)).sorted()
  }

  /// The adapters to merge, read through once; nil where none is named.
  func adapters() throws -> AdapterSet? {
    let requests = try values("adapter").map(AdapterRequest.init(parsing:))
    let pooling = choice("pooling", as: PoolingConvention.self)
    guard !requests.isEmpty else {
      guard pooling == nil else {
        throw UsageError("'--pooling' is for '--adapter'", hint: "name the adapter too")
      }
      return nil
    }
    return try AdapterSet(requests, pooling: pooling)
  }
}
