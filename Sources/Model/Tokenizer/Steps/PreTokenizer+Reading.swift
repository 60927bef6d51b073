import Formats

extension PreTokenizer {
  /// Most steps that one may have, those of sequences in it counted.
  private static let mostSteps = 64

  init(_ reader: ComponentReader) throws(TokenizerError) { try add(reader) }

  private mutating func add(_ reader: ComponentReader) throws(TokenizerError) {
    let type = try reader.type()
    switch type {
    case "Sequence":
      for child in try reader.children("pretokenizers") { try add(child) }
    case "ByteLevel":
      _ = try reader.bool("trim_offsets")
      if try reader.bool("add_prefix_space") { steps.append(.leadingSpace) }
      if try reader.bool("use_regex", default: true) {
        steps.append(.split(.scanner(PatternScanner(.gpt2)), .isolated, isInverted: false))
      }
      steps.append(.mapBytes)
    case "Split":
      steps.append(
        .split(
          try reader.pattern("pattern"), try Self.behavior(reader, default: nil),
          isInverted: try reader.bool("invert")))
    case "Metaspace": try addMetaspace(reader)
    case "Digits":
      let behavior: SplitBehavior =
        try reader.bool("individual_digits") ? .isolated : .contiguous
      steps.append(.split(.scalar(.numeric), behavior, isInverted: false))
    case "Punctuation":
      steps.append(
        .split(
          .scalar(.bertPunctuation), try Self.behavior(reader, default: .isolated),
          isInverted: false))
    case "BertPreTokenizer":
      steps += [
        .split(.scalar(.whiteSpace), .removed, isInverted: false),
        .split(.scalar(.bertPunctuation), .isolated, isInverted: false),
      ]
    case "WhitespaceSplit":
      steps.append(.split(.scalar(.whiteSpace), .removed, isInverted: false))
    case "CharDelimiterSplit":
      steps.append(
        .split(.literal(try reader.character("delimiter")), .removed, isInverted: false))
    case "Whitespace":
      steps.append(.split(.regex(try Self.wordsOrSymbols(reader)), .removed, isInverted: true))
    default: throw reader.unsupported("the type '\(type)'")
    }
    guard steps.count <= Self.mostSteps else {
      throw reader.unsupported("a sequence of more than \(Self.mostSteps) steps")
    }
  }

  private static func behavior(
    _ reader: ComponentReader, default fallback: SplitBehavior?
  ) throws(TokenizerError) -> SplitBehavior {
    if let fallback, reader.value("behavior") == nil { return fallback }
    let name = try reader.string("behavior")
    guard let behavior = SplitBehavior(rawValue: name) else {
      throw reader.unsupported("the behavior '\(name)'")
    }
    return behavior
  }

  private mutating func addMetaspace(_ reader: ComponentReader) throws(TokenizerError) {
    let mark = try reader.character("replacement")
    let scheme =
      reader.value("prepend_scheme") == nil ? "always" : try reader.string("prepend_scheme")
    guard let prepend = Prepending(rawValue: scheme) else {
      throw reader.unsupported("the prepend_scheme '\(scheme)'")
    }
    // A member of older files, which must not contradict the newer one.
    if try !reader.bool("add_prefix_space", default: true), prepend != .never {
      throw reader.malformed("add_prefix_space is false and prepend_scheme '\(scheme)'")
    }
    steps.append(.mark(mark, prepend: prepend))
    if try reader.bool("split", default: true) {
      steps.append(.split(.literal(mark), .mergedWithNext, isInverted: false))
    }
  }

  /// `\w+|[^\w\s]+` with the word characters of Rust's regular expressions.
  private static func wordsOrSymbols(
    _ reader: ComponentReader
  ) throws(TokenizerError) -> RegexProgram {
    let word = UnicodeTables.rustWord
    let runs = (0...1).map { RegexNode.repeated(.set($0), minimum: 1, maximum: nil, .greedy) }
    do {
      return try RegexProgram(
        .choice(runs), sets: [word, word.union(UnicodeTables.whiteSpace).inverted],
        pattern: #"\w+|[^\w\s]+"#)
    } catch {
      throw reader.malformed(error.reason)
    }
  }
}
