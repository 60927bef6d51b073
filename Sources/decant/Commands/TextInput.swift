import Convert
import Formats
import Forward
import Model

/// What a model is run over, as the commands that run one are told it.
struct TextInput {
  let tokens: [Int]
  let windows: WindowPlan
  /// Files that were read.
  let paths: [String]

  /// Those that say what to read, then how.
  static let options =
    sources + [
      OptionDescription(
        long: "context", value: .init("N", default: .described("512, or what the model takes")),
        help: """
          Tokens of a window. Windows follow each other and see nothing of each other; a last, shorter \
          one is left out.
          """)
    ]

  static let sources: [OptionDescription] = [
    OptionDescription(
      long: "text", value: .init("FILE", .path),
      help: "A text to read, as UTF-8. The model's tokenizer.json makes tokens of it."),
    OptionDescription(
      long: "tokens", value: .init("FILE", .path),
      help: "A text as tokens of the model: whole numbers with white space between them."),
    tokensLimit(usual: "all"),
  ]

  private static func tokensLimit(usual: String) -> OptionDescription {
    OptionDescription(
      long: "tokens-limit", value: .init("N", default: .described(usual)),
      help: "Use the first N tokens, as in 4096 or 32k (k is 1,024).")
  }

  /// For the command that has more to do than to run the model.
  static let boundedOptions =
    options.filter { $0.long != "tokens-limit" } + [tokensLimit(usual: "\(usualLimit)")]
  static let usualLimit = 32_768

  /// Whether any of the options says what to read.
  static func isGiven(_ arguments: Arguments) -> Bool {
    arguments.isGiven("text") || arguments.isGiven("tokens")
  }

  /// - Parameters:
  ///   - hasWindows: whether `--context` is about windows.
  ///   - usualLimit: of the tokens, where no other is given; nil for none.
  /// - Throws: `UsageError` unless exactly one text is named; `TokenizerError`, `ForwardError`, `FileError`.
  init(
    _ arguments: Arguments, for model: ForwardModel, hasWindows: Bool = true,
    usualLimit: Int? = nil
  ) throws {
    let (text, list) = (arguments.value("text"), arguments.value("tokens"))
    guard let path = text ?? list, text == nil || list == nil else {
      throw UsageError(
        text == nil ? "there is no text to read" : "'--text' and '--tokens' both name what to read",
        hint: "give one of '--text FILE' and '--tokens FILE'")
    }
    let limit = try arguments.count("tokens-limit", in: 2...Int.max) ?? usualLimit
    let context = hasWindows ? try arguments.count("context", in: 2...1 << 24) : nil
    var tokens =
      text == nil
      ? try TokenList.read(path, limit: limit) : try Self.read(path, for: model)
    if let limit { tokens.removeLast(max(0, tokens.count - limit)) }
    self.tokens = tokens
    let usual = min(WindowPlan.usual(for: model).length, max(2, tokens.count))
    windows = WindowPlan(length: context ?? usual)
    paths = [path]
  }

  private init(tokens: [Int], windows: WindowPlan, paths: [String]) {
    self.tokens = tokens
    self.windows = windows
    self.paths = paths
  }

  /// The last quarter of the windows apart from those before, at most 16,384 tokens.
  ///
  /// - Throws: `UsageError` for less than two windows.
  func holdingBack() throws(UsageError) -> (text: TextInput, heldBack: TextInput) {
    let count = tokens.count / windows.length
    guard count >= 2 else {
      throw UsageError(
        "\(tokens.count) tokens are less than two windows of \(windows.length): one to measure with, and one to judge the result by",
        hint: "give a longer text, or shorter windows with '--context N'")
    }
    let held = max(1, min(count / 4, 16_384 / windows.length))
    let end = (count - held) * windows.length
    func part(_ range: Range<Int>) -> TextInput {
      TextInput(tokens: Array(tokens[range]), windows: windows, paths: paths)
    }
    return (part(0..<end), part(end..<count * windows.length))
  }

  private static func read(_ path: String, for model: ForwardModel) throws -> [Int] {
    let bytes = try InputFile(path: path).readAll(limit: Tokenizer.longestText)
    let tokenizer = try Tokenizer(path: model.checkpoint.home)
    var cache = PieceCache()
    return try tokenizer.encode(bytes.span, cache: &cache).map { Int($0) }
  }
}
