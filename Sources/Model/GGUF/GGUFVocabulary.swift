import Formats

/// The tokens of a `tokenizer.json` as llama.cpp's keys have them: texts, kinds, and what joins them.
///
/// Source: ggml-org/llama.cpp, `src/llama-vocab.cpp`, `conversion/base.py`.
struct GGUFVocabulary {
  /// llama.cpp's numbers of kinds (`enum llama_token_type`).
  enum Kind: Int32 {
    case normal = 1
    case unknown = 2
    case control = 3
    case userDefined = 4
    case unused = 5
    case byte = 6
  }

  /// How pieces become tokens.
  enum Model: Equatable {
    /// Byte-level BPE, with the name of what cuts texts into words.
    case byteLevel(pre: String)
    /// Pieces of characters, with bytes for what there is no piece of.
    case sentencePiece(addsSpace: Bool)
  }

  /// More tokens are no model's.
  private static let largestCount = 1 << 22

  let model: Model
  private(set) var texts: [String] = []
  private(set) var kinds: [Kind] = []
  private let merges: [(left: String, right: String)]
  /// Tokens that the model does not know, but only the list of added ones.
  private var isOnlyAdded: [Bool] = []

  /// - Parameter rows: of the embedding, as many as there will be tokens.
  /// - Throws: `GGUFModelError.tokenizer` for what llama.cpp does otherwise.
  init(_ json: JSONValue, rows: Int) throws(GGUFModelError) {
    guard let fields = json["model"], let members = fields["vocab"]?.members,
      fields["type"]?.stringValue ?? "BPE" == "BPE"
    else {
      throw .tokenizer("a model of type \(fields(of: json))")
    }
    for name in ["continuing_subword_prefix", "end_of_word_suffix"]
    where !(fields[name]?.stringValue ?? "").isEmpty { throw .tokenizer("'\(name)'") }
    if fields["dropout"]?.doubleValue ?? 0 != 0 { throw .tokenizer("dropout") }
    model = try GGUFPreTokenizer.model(json)
    merges = try Self.merges(fields)
    var added: [Int: (text: String, isSpecial: Bool)] = [:]
    for token in json["added_tokens"]?.arrayValue ?? [] {
      guard let id = token["id"]?.intValue, let text = token["content"]?.stringValue else {
        throw .tokenizer("an added token without an id and a text")
      }
      added[id] = (text, token["special"]?.boolValue ?? false)
    }
    var byId: [Int: String] = [:]
    for member in members {
      guard let id = member.value.intValue else { throw .tokenizer("a token without an id") }
      byId[id] = member.name
    }
    guard rows <= Self.largestCount else { throw .tokenizer("\(rows) tokens") }
    let largest = max(byId.keys.max() ?? -1, added.keys.max() ?? -1)
    guard largest < rows, byId.keys.min() ?? 0 >= 0, added.keys.min() ?? 0 >= 0 else {
      throw .tokenizer("token \(largest), for which the embedding with \(rows) rows has none")
    }
    let unknown = fields["unk_token"]?.stringValue
    for id in 0..<rows {
      let (text, kind) = Self.token(
        id, byId[id], added[id], unknown, isSentencePiece: model.isSentencePiece)
      texts.append(text)
      kinds.append(kind)
      isOnlyAdded.append(added[id] != nil && byId[id] == nil)
    }
    try checkUnique()
    if json["model"]?["ignore_merges"] == true, !model.ignoresMerges { try checkMadeByMerges() }
  }

  private static func token(
    _ id: Int, _ text: String?, _ added: (text: String, isSpecial: Bool)?, _ unknown: String?,
    isSentencePiece: Bool
  ) -> (String, Kind) {
    if let added {
      if isSentencePiece, added.text == unknown { return (added.text, .unknown) }
      if added.isSpecial || looksSpecial(added.text) { return (added.text, .control) }
      return (added.text.replacing("\u{2581}", with: " "), .userDefined)
    }
    guard let text else { return ("[PAD\(id)]", .unused) }
    guard isSentencePiece else { return (text, .normal) }
    if text == unknown { return (text, .unknown) }
    return (text, isByte(text) ? .byte : .normal)
  }

  /// `<0x0A>`.
  private static func isByte(_ text: String) -> Bool {
    text.utf8.count == 6 && text.hasPrefix("<0x") && text.hasSuffix(">")
      && text.dropFirst(3).dropLast().allSatisfy { $0.isHexDigit }
  }

  /// As texts do that no text should spell.
  private static func looksSpecial(_ text: String) -> Bool {
    ["<pad>", "<mask>", "<2mass>", "[@BOS@]"].contains(text)
      || text.hasPrefix("<|") && text.hasSuffix("|>")
      || text.hasPrefix("<\u{FF5C}") && text.hasSuffix("\u{FF5C}>")
      || text.hasPrefix("<unused") && text.hasSuffix(">")
  }

  private static func merges(
    _ fields: JSONValue
  ) throws(GGUFModelError) -> [(left: String, right: String)] {
    var merges: [(left: String, right: String)] = []
    for merge in fields["merges"]?.arrayValue ?? [] {
      if let pair = merge.arrayValue, pair.count == 2, let left = pair[0].stringValue,
        let right = pair[1].stringValue
      {
        merges.append((left, right))
      } else if let text = merge.stringValue?.utf8, let space = text.firstIndex(of: 0x20) {
        // By bytes: a mark behind a space would be one character with it.
        merges.append(
          (
            String(decoding: text[..<space], as: UTF8.self),
            String(decoding: text[text.index(after: space)...], as: UTF8.self)
          ))
      } else {
        throw .tokenizer("the merge \(merge.compactText)")
      }
    }
    guard !merges.isEmpty else { throw .tokenizer("BPE without merges") }
    return merges
  }

  /// llama.cpp ends the process where two tokens have one text.
  private func checkUnique() throws(GGUFModelError) {
    var seen = Set<[UInt8]>()
    for (id, text) in texts.enumerated() where !seen.insert(Array(text.utf8)).inserted {
      throw .tokenizer("token \(id), of which another has the text '\(text)'")
    }
  }

  // MARK: Keys

  var keys: [(key: String, value: GGUFValue)] {
    var keys: [(key: String, value: GGUFValue)] = []
    switch model {
    case .byteLevel(let pre):
      keys.append(("tokenizer.ggml.model", .string("gpt2")))
      keys.append(("tokenizer.ggml.pre", .string(pre)))
    case .sentencePiece(let addsSpace):
      keys.append(("tokenizer.ggml.model", .string("llama")))
      keys.append(("tokenizer.ggml.pre", .string("default")))
      keys.append(("tokenizer.ggml.add_space_prefix", .bool(addsSpace)))
    }
    keys.append(("tokenizer.ggml.tokens", .array(.string(texts))))
    keys.append(("tokenizer.ggml.token_type", .array(.int32(kinds.map(\.rawValue)))))
    if model.isSentencePiece {
      keys.append(("tokenizer.ggml.scores", .array(.float32(scores))))
    } else {
      // A space inside a part is written as the alphabet of bytes has it.
      let texts = merges.map { $0.left.replacingSpaces + " " + $0.right.replacingSpaces }
      keys.append(("tokenizer.ggml.merges", .array(.string(texts))))
    }
    return keys
  }

  /// Pieces are joined where what they make has the largest score: minus the number of the first merge that
  /// makes it. What no merge makes is never made.
  private var scores: [Float] {
    let ranks = ranks
    return texts.indices.map { id in
      if kinds[id] == .unused { return -10_000 }
      if isOnlyAdded[id] { return -1000 }
      return ranks[Array(texts[id].utf8)].map { -Float($0) } ?? 0
    }
  }

  /// The number of the first merge that makes a text, by its bytes: strings equate some that differ.
  private var ranks: [[UInt8]: Int] {
    Dictionary(
      merges.enumerated().map { (Array($1.left.utf8) + Array($1.right.utf8), $0) },
      uniquingKeysWith: { first, _ in first })
  }

  /// Where words of the vocabulary are taken whole there, and llama.cpp merges them: they must come out alike.
  private func checkMadeByMerges() throws(GGUFModelError) {
    let ranks = ranks
    for (text, kind) in zip(texts, kinds)
    where kind == .normal && text.unicodeScalars.count > 1 && ranks[Array(text.utf8)] == nil {
      throw .tokenizer("'ignore_merges', and no merge for the token '\(text)'")
    }
  }
}

extension GGUFVocabulary.Model {
  var isSentencePiece: Bool {
    if case .sentencePiece = self { true } else { false }
  }

  /// Whether llama.cpp takes words of the vocabulary whole, by the name of what cuts them.
  var ignoresMerges: Bool {
    if case .byteLevel(let pre) = self { ["llama-bpe", "tekken"].contains(pre) } else { false }
  }
}

private func fields(of json: JSONValue) -> String {
  "'\(json["model"]?["type"]?.stringValue ?? "none")'"
}

extension String {
  /// With `Ġ` for spaces, as the alphabet of bytes has them.
  fileprivate var replacingSpaces: String {
    String(
      String.UnicodeScalarView(unicodeScalars.map { $0 == " " ? "\u{0120}" : $0 }))
  }
}
