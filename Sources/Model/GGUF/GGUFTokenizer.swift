import Formats

/// A tokenizer as llama.cpp's keys have it.
package struct GGUFTokenizer: Sendable {
  package let keys: [(key: String, value: GGUFValue)]

  /// For a model that comes without one: it then runs on ids alone.
  package static let none = GGUFTokenizer(keys: [("tokenizer.ggml.model", .string("none"))])

  private init(keys: [(key: String, value: GGUFValue)]) { self.keys = keys }

  /// - Parameters:
  ///   - tokenizer: `tokenizer.json`.
  ///   - settings: `tokenizer_config.json`, empty where there is none.
  ///   - config: `config.json`.
  ///   - template: of chats, from a file of its own.
  ///   - rows: of the embedding.
  /// - Throws: `GGUFModelError.tokenizer` for what llama.cpp does otherwise.
  package init(
    _ tokenizer: JSONValue, settings: JSONValue, config: JSONValue, template: JSONValue?, rows: Int
  ) throws(GGUFModelError) {
    let vocabulary = try GGUFVocabulary(tokenizer, rows: rows)
    var keys = vocabulary.keys
    let ids = SpecialIds(vocabulary.texts, settings, config)
    for (name, key) in [
      ("bos", "bos"), ("eos", "eos"), ("unk", "unknown"), ("sep", "seperator"),
      ("pad", "padding"), ("mask", "mask"),
    ] {
      // The spelling of the third is llama.cpp's.
      if let id = ids[name] { keys.append(("tokenizer.ggml.\(key)_token_id", .uint32(UInt32(id)))) }
    }
    let around = Self.around(tokenizer["post_processor"])
    for (name, place) in [("bos", around?.before), ("eos", around?.behind)] {
      let id = ids[name]
      let adds =
        around == nil
        ? settings["add_\(name)_token"]?.boolValue
        : id.map { vocabulary.texts[$0] == place }
      // Without an id there is nothing to add.
      keys.append(("tokenizer.ggml.add_\(name)_token", .bool(id != nil && adds ?? false)))
    }
    keys += Self.templates(settings["chat_template"] ?? template)
    self.keys = keys
  }

  /// The first and the last token of what is put around a text; nil where there is no template for that, which
  /// settings then may say.
  private static func around(_ json: JSONValue?) -> (before: String?, behind: String?)? {
    guard let json, json != .null else { return nil }
    switch json["type"]?.stringValue {
    case "Sequence":
      let all = (json["processors"]?.arrayValue ?? []).compactMap(around)
      return all.first { $0 != (nil, nil) } ?? all.first
    case "TemplateProcessing":
      let single = json["single"]?.arrayValue ?? []
      func token(_ part: JSONValue?) -> String? { part?["SpecialToken"]?["id"]?.stringValue }
      return (token(single.first), token(single.last))
    case "ByteLevel": return (nil, nil)
    default: return nil
    }
  }

  /// One template, or several by their names.
  private static func templates(_ json: JSONValue?) -> [(key: String, value: GGUFValue)] {
    if let text = json?.stringValue { return [("tokenizer.chat_template", .string(text))] }
    let named = (json?.arrayValue ?? []).compactMap { entry -> (name: String, text: String)? in
      guard let name = entry["name"]?.stringValue, let text = entry["template"]?.stringValue else {
        return nil
      }
      return (name, text)
    }
    var keys: [(key: String, value: GGUFValue)] = []
    var others: [String] = []
    for (name, text) in named {
      if name == "default" {
        keys.append(("tokenizer.chat_template", .string(text)))
      } else if !others.contains(name) {
        others.append(name)
        keys.append(("tokenizer.chat_template.\(name)", .string(text)))
      }
    }
    if !others.isEmpty { keys.append(("tokenizer.chat_templates", .array(.string(others)))) }
    return keys
  }
}

/// The ids of tokens with a part in every text, by what settings call them.
private struct SpecialIds {
  private let ids: [String: Int]
  private let count: Int
  private let settings: JSONValue
  private let config: JSONValue

  init(_ texts: [String], _ settings: JSONValue, _ config: JSONValue) {
    ids = Dictionary(
      texts.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    count = texts.count
    self.settings = settings
    self.config = config
  }

  /// By the text in `tokenizer_config.json`, else by the number in `config.json`.
  subscript(name: String) -> Int? {
    let setting = settings[name + "_token"]
    if let text = setting?.stringValue ?? setting?["content"]?.stringValue, let id = ids[text] {
      return id
    }
    let number = config[name + "_token_id"]
    return (number?.intValue ?? number?.arrayValue?.first?.intValue).flatMap {
      (0..<count).contains($0) ? $0 : nil
    }
  }
}
