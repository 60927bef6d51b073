import Formats

/// What llama.cpp calls the way in which a tokenizer changes texts and cuts them into words: told by the
/// structure of its normalizer and its pre-tokenizer, whatever its vocabulary.
///
/// Source: ggml-org/llama.cpp, `src/llama-vocab.cpp`, each name held against the library tokenizers 0.23.3.
enum GGUFPreTokenizer {
  /// - Throws: `GGUFModelError.tokenizer` for what llama.cpp has no name for.
  static func model(_ json: JSONValue) throws(GGUFModelError) -> GGUFVocabulary.Model {
    let normalizers = steps(json["normalizer"], "normalizers")
    let steps = steps(json["pre_tokenizer"], "pretokenizers")
    let ignoresMerges = json["model"]?["ignore_merges"]?.boolValue ?? false
    if steps.contains(where: { $0["type"] == "ByteLevel" }) {
      if let other = normalizers.first(where: { $0["type"] != "NFC" }) {
        throw .tokenizer("the normalizer \(other["type"]?.compactText ?? "")")
      }
      let names = steps.map(name)
      guard let form = forms.first(where: { $0.steps == names }) else {
        throw .tokenizer("the pre-tokenizer \(names.joined(separator: ", "))")
      }
      return .byteLevel(pre: ignoresMerges ? form.ignoringMerges ?? form.name : form.name)
    }
    guard json["model"]?["byte_fallback"] == true else {
      throw .tokenizer("pieces of characters without bytes for what there is no piece of")
    }
    return .sentencePiece(addsSpace: try addsSpace(normalizers, steps))
  }

  /// Those of a sequence, or the one.
  private static func steps(_ json: JSONValue?, _ member: String) -> [JSONValue] {
    guard let json, json != .null else { return [] }
    return json["type"] == "Sequence" ? json[member]?.arrayValue ?? [] : [json]
  }

  // MARK: Pieces of characters

  /// Whether a space is put before a text; in any case spaces are written as `▁`.
  private static func addsSpace(
    _ normalizers: [JSONValue], _ steps: [JSONValue]
  ) throws(GGUFModelError) -> Bool {
    var adds = false
    var replaces = false
    for step in normalizers {
      switch step["type"]?.stringValue {
      case "Prepend" where step["prepend"] == "\u{2581}": adds = true
      case "Replace"
      where step["pattern"]?["String"] == " " && step["content"] == "\u{2581}":
        replaces = true
      default: throw .tokenizer("the normalizer \(step["type"]?.compactText ?? "")")
      }
    }
    for step in steps {
      switch step["type"]?.stringValue {
      case "Metaspace" where step["replacement"] == "\u{2581}":
        let scheme = step["prepend_scheme"]?.stringValue
        adds = scheme.map { $0 != "never" } ?? (step["add_prefix_space"]?.boolValue ?? true)
        replaces = true
      // Gemma's, of which nothing is left behind its normalizer.
      case "Split" where step["pattern"]?["String"] == " " && replaces: continue
      default: throw .tokenizer("the pre-tokenizer \(name(step))")
      }
    }
    guard replaces else { throw .tokenizer("spaces that are no '\u{2581}'") }
    return adds
  }

  // MARK: Bytes

  private struct Form {
    let steps: [String]
    let name: String
    /// Where words of the vocabulary are taken whole.
    var ignoringMerges: String?
  }

  private static let forms: [Form] = [
    Form(steps: ["ByteLevel with its pattern"], name: "gpt-2"),
    Form(steps: ["gpt2", "ByteLevel"], name: "gpt-2"),
    Form(steps: ["llama3 3", "ByteLevel"], name: "dbrx", ignoringMerges: "llama-bpe"),
    Form(steps: ["llama3 1", "ByteLevel"], name: "qwen2"),
    Form(steps: ["llama3 1 marks", "ByteLevel"], name: "qwen35"),
    Form(steps: ["o200k 3", "ByteLevel"], name: "gpt-4o"),
    Form(steps: ["o200k 1", "ByteLevel"], name: "tekken"),
    Form(steps: ["digits one by one", "ByteLevel with its pattern"], name: "starcoder"),
    Form(
      steps: [
        "contiguous punctuation", "ByteLevel with its pattern", "digits",
        "'[0-9][0-9][0-9]'",
      ], name: "falcon"),
    Form(
      steps: [
        "'\\p{N}{1,3}'", "'[\u{4E00}-\u{9FA5}\u{3040}-\u{309F}\u{30A0}-\u{30FF}]+'", "deepseek-v3",
        "ByteLevel",
      ], name: "deepseek-v3"),
    Form(steps: ["'\(bloomPattern)'", "ByteLevel"], name: "bloom"),
  ]

  private static let bloomPattern =
    " ?[^(\\s|[.,!?\u{2026}\u{3002}\u{FF0C}\u{3001}\u{0964}\u{06D4}\u{060C}])]+"

  /// One step, as `forms` and messages call it.
  private static func name(_ step: JSONValue) -> String {
    switch step["type"]?.stringValue {
    case "ByteLevel":
      (step["use_regex"]?.boolValue ?? true ? "ByteLevel with its pattern" : "ByteLevel")
        + (step["add_prefix_space"]?.boolValue ?? true ? " and a space before the text" : "")
    case "Digits":
      step["individual_digits"]?.boolValue ?? false ? "digits one by one" : "digits"
    case "Punctuation" where step["behavior"] == "Contiguous": "contiguous punctuation"
    case "Split" where isIsolated(step): pattern(step["pattern"])
    default: step.compactText
    }
  }

  /// Whether matches and what lies between them are pieces, or there is nothing between them.
  private static func isIsolated(_ step: JSONValue) -> Bool {
    let isInverted = step["invert"]?.boolValue ?? false
    return step["behavior"] == "Isolated" && !isInverted
      || step["behavior"] == "Removed" && isInverted
  }

  private static func pattern(_ json: JSONValue?) -> String {
    let text = json?["Regex"]?.stringValue ?? json?.compactText ?? ""
    return switch PatternScanner(pattern: text)?.pattern {
    case .gpt2: "gpt2"
    case .llama3(let digits, let wordsHaveMarks):
      "llama3 \(digits)" + (wordsHaveMarks ? " marks" : "")
    case .o200k(let digits, _): "o200k \(digits)"
    case .deepSeekV3: "deepseek-v3"
    case nil: "'\(text)'"
    }
  }
}
