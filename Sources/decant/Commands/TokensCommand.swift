import Formats
import Model

enum TokensCommand: Command {
  static let description = CommandDescription(
    name: "tokens",
    summary: "turn text into token ids with a model's tokenizer",
    operands: [
      OperandDescription(
        name: "PATH", help: "A tokenizer.json, or the directory of a model that has one.",
        accepts: .path)
    ],
    options: [
      OptionDescription(
        long: "text", value: .init("FILE", .path),
        help: "The text, as UTF-8. Without it and --jsonl, standard input is the text."),
      OptionDescription(
        long: "jsonl", value: .init("FILE", .path),
        help: """
          Texts: a line {"text": ...} for each. The output then has a line {"ids": [...]} for each.
          """),
      OptionDescription(
        long: "no-special-tokens",
        help: """
          Leave out the tokens that the tokenizer puts around a text. Those that the text itself \
          spells are recognized in any case.
          """),
    ],
    examples: [
      .init("decant tokens Qwen3-0.6B --text eval.txt > eval.tokens", "The ids of a text."),
      .init(
        "decant tokens Qwen3-0.6B/tokenizer.json --jsonl texts.jsonl > ids.jsonl",
        "The ids of many texts, line by line."),
    ],
    discussion: [
      """
      Ids are whole numbers with spaces between them. They are those that the library 'tokenizers' \
      gives, without truncation and padding. Of a tokenizer, tokenizer.json is read, and nothing else.
      """
    ])

  static func run(_ arguments: Arguments, terminal: Terminal) throws -> ExitStatus {
    let (text, lines) = (arguments.value("text"), arguments.value("jsonl"))
    guard text == nil || lines == nil else {
      throw UsageError(
        "'--text' and '--jsonl' both name what to read", hint: "give one of the two")
    }
    let tokenizer = try Tokenizer(path: arguments.model())
    var run = TokensRun(tokenizer, addSpecialTokens: !arguments.flag("no-special-tokens"))
    if let lines {
      try run.writeLines(of: lines)
    } else {
      let bytes =
        try text.map { try InputFile(path: $0).readAll(limit: Tokenizer.longestText) }
        ?? StandardInput.readAll(limit: Tokenizer.longestText)
      try run.writeIds(of: bytes)
    }
    return .done
  }
}
