import Convert
import Formats
import Forward
import Model

enum GenerateCommand: Command {
  static let description = CommandDescription(
    name: "generate",
    summary: "continue a text with a model, by the most probable token each time",
    operands: [CommonOption.path],
    options: [
      OptionDescription(
        long: "prompt", value: .init("TEXT"), help: "The text to continue.", isRequired: true),
      OptionDescription(
        long: "count", short: "n", value: .init("N", default: .value("64")),
        help: "Tokens to make, at most. A token that ends a sequence ends the text."),
      OptionDescription(
        long: "kv-bits", value: .init("N"),
        help: "Quantize cached keys and values to N bits, 2 to 8, in groups of 128 or a whole head."
      ),
      OptionDescription(
        long: "tokens-only", help: "Print ids of tokens in place of the text."),
      CommonOption.jobs,
    ],
    examples: [
      .init(
        "decant generate Qwen3-0.6B --prompt Paris -n 8",
        "See at once whether a model makes sense.")
    ],
    discussion: [
      """
      The text is printed as it comes, without the prompt. Weights are read anew for every token, so that \
      the model need not fit into memory: for looking at a model, not for long texts.
      """
    ])

  static func run(_ arguments: Arguments, terminal: Terminal) throws -> ExitStatus {
    let runner = try Runner(arguments, terminal)
    let count = try arguments.count("count", in: 1...1 << 24) ?? 64
    let cacheBits = try arguments.int("kv-bits", in: QuantizationPoint.cacheBits)
    let model = try ForwardModel(Checkpoint(path: arguments.model()))
    let observer = try cacheBits.flatMap { QuantizationPoint(cache: $0) }.flatMap {
      try FakeQuantization(model).subject(at: $0).observer
    }
    let ends = Set(try SequenceTokens(of: model.checkpoint).ends)
    let tokenizer = try Tokenizer(path: model.checkpoint.home)
    let prompt = try tokens(of: arguments.value("prompt") ?? "", tokenizer)
    var writer = try TokenWriter(
      tokenizer, after: prompt, idsOnly: arguments.flag("tokens-only"))
    try runner.run {
      let generation = try Generation(model, prompt: prompt, observer: observer, $0)
      if !generation.hasRoom, let longest = model.description.contextLength {
        throw ForwardError.windowTooLong(prompt.count, longest: longest)
      }
      for _ in 0..<count where generation.hasRoom {
        let token = try generation.next()
        if ends.contains(token) { break }
        try writer.write(token)
      }
    }
    try writer.finish()
    return .done
  }

  private static func tokens(of text: String, _ tokenizer: Tokenizer) throws -> [Int] {
    var cache = PieceCache()
    let bytes = Array(text.utf8)
    let ids = try tokenizer.encode(bytes.span, addSpecialTokens: false, cache: &cache)
    return (tokenizer.leadingTokens + ids).map { Int($0) }
  }
}
