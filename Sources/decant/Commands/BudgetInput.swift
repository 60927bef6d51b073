import Convert
import Formats

/// The size or the loss that widths are chosen for, as the commands that choose them are told it.
enum BudgetInput {
  static let options: [OptionDescription] = [
    OptionDescription(
      long: "target-bpw", value: .init("X"),
      help: "Bits per weight of the output, scales, biases and kept tensors counted."),
    OptionDescription(
      long: "target-size", value: .init("SIZE"),
      help: "Bytes of the whole output, as in 3.5GB."),
    OptionDescription(
      long: "max-error", value: .init("X"),
      help: "Mean relative error, at most; the smallest output within it."),
    OptionDescription(
      long: "min-sqnr", value: .init("DB"),
      help: "The same as an SQNR in dB: -10 log10 of the relative error, at least, as in 25."),
    OptionDescription(
      long: "max-kl", value: .init("NATS"),
      help: """
        KL divergence from the source, at most, as far as that of single tensors adds up; needs a text, or \
        a calibration with --sensitivity.
        """),
  ]

  static let names = options.map(\.long)

  /// Nil where none is given.
  ///
  /// - Throws: `UsageError` where several are.
  static func budget(_ arguments: Arguments) throws -> Budget? {
    let given: [Budget?] = [
      try arguments.number("target-bpw").map { .bitsPerWeight($0) },
      try arguments.size("target-size").map { .size($0.bytes) },
      try arguments.number("max-error").map { .relativeError($0) },
      try arguments.decibels("min-sqnr").map { .sqnr($0) },
      try arguments.number("max-kl").map { .divergence($0) },
    ]
    let budgets = given.compactMap(\.self)
    guard budgets.count <= 1 else {
      throw UsageError("more than one budget given", hint: "give one of \(words)")
    }
    return budgets.first
  }

  /// What was given of some options with one value, for the record of a plan.
  static func request(
    _ arguments: Arguments, _ options: [String] = BudgetInput.names
  ) -> JSONValue {
    var json: JSONValue = [:]
    for name in options where arguments.isGiven(name) {
      json[name.replacing("-", with: "_")] = arguments.value(name).map { .string($0) }
    }
    return json
  }

  /// `--target-bpw, --target-size, …`
  static var words: String { names.map { "--" + $0 }.joined(separator: ", ") }
}
