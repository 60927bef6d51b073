import Formats

/// The `model` of a `tokenizer.json`, read in one pass: its large lists are never built as JSON.
struct ModelFields {
  private(set) var vocabulary: Vocabulary?
  /// By id, where the vocabulary is a list of pieces and scores.
  private(set) var scores: [Double]?
  /// Where the merges are.
  private(set) var merges: JSONScanner?
  /// Everything else.
  private(set) var others: [JSONValue.Member] = []

  /// What kind of model it is. Older files do not say it; then the members tell.
  var type: String {
    if let type = others.first(where: { $0.name == "type" })?.value.stringValue { return type }
    if scores != nil { return "Unigram" }
    if merges != nil { return "BPE" }
    let isWordPiece = others.contains { $0.name == "max_input_chars_per_word" }
    return isWordPiece ? "WordPiece" : "WordLevel"
  }

  /// - Throws: `TokenizerError`, `JSONError`.
  init(_ scanner: inout JSONScanner, path: String) throws {
    // A closure cannot change what is not whole yet.
    var (vocabulary, scores): (Vocabulary?, [Double]?)
    var merges: JSONScanner?
    var others: [JSONValue.Member] = []
    try scanner.object { scanner, name in
      switch name {
      case "vocab":
        if try scanner.peek() == UInt8(ascii: "[") {
          (vocabulary, scores) = try Self.scoredPieces(&scanner, path: path)
        } else {
          vocabulary = try Self.pieces(&scanner, path: path)
        }
      case "merges":
        // They name pieces, and those may come later.
        merges = scanner
        try scanner.skipValue(depth: 2)
      default: others.append(.init(name, try scanner.value(depth: 2)))
      }
    }
    (self.vocabulary, self.scores, self.merges, self.others) = (vocabulary, scores, merges, others)
  }

  /// `{"piece": id, …}`, in which the last of equal pieces counts.
  private static func pieces(_ scanner: inout JSONScanner, path: String) throws -> Vocabulary {
    var (bytes, ends): ([UInt8], [Int]) = ([], [])
    var ids: [Int32] = []
    try scanner.members(namesInto: &bytes) { scanner, name in
      let number = try scanner.number()
      guard let id = Int32(number), id >= 0 else {
        throw TokenizerError.malformed(
          path: path, component: "model.vocab", reason: "'\(number)' is no id")
      }
      ends.append(name.upperBound)
      ids.append(id)
    }
    return Vocabulary(bytes: bytes, ends: ends, ids: ids)
  }

  /// `[["piece", score], …]`, whose ids are their places.
  private static func scoredPieces(
    _ scanner: inout JSONScanner, path: String
  ) throws -> (Vocabulary, [Double]) {
    var (bytes, ends): ([UInt8], [Int]) = ([], [])
    var scores: [Double] = []
    try scanner.array { scanner in
      var count = 0
      try scanner.array { scanner in
        count += 1
        if count == 1 {
          try scanner.string(appendedTo: &bytes)
          ends.append(bytes.count)
        } else if let score = Double(try scanner.number()), score.isFinite {
          scores.append(score)
        }
      }
      guard count == 2, scores.count == ends.count else {
        throw TokenizerError.malformed(
          path: path, component: "model.vocab[\(ends.count)]",
          reason: "not a piece and its score")
      }
    }
    let ids = Array(0..<Int32(clamping: ends.count))
    return (Vocabulary(bytes: bytes, ends: ends, ids: ids), scores)
  }
}
