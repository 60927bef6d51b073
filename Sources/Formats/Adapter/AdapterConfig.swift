/// What `adapter_config.json` says that bears on a merge.
///
/// Source: huggingface/peft, `tuners/lora/config.py`; ml-explore/mlx-lm, `lora.py` and `tuner/utils.py`, for those
/// that mlx-lm trained. Members that only steer training are ignored; members that name a method whose result is
/// no low-rank update of the weights are refused.
package struct AdapterConfig: Sendable, Equatable {
  /// A value for the modules that a pattern matches.
  package struct Pattern: Sendable, Equatable {
    package let key: String
    package let value: Double
  }

  /// What was trained.
  package enum Method: String, Sendable {
    /// Low-rank pairs, with all their variants.
    case lora = "LORA"
    /// The scales of packed weights (PEQA, arXiv 2305.14152).
    case peqa = "PEQA"
  }

  /// Whose files they are: names of tensors and their order differ.
  package enum Form: Sendable {
    case peft
    case mlx
  }

  package let path: String
  package let form: Form
  package let method: Method
  /// XXH64 of the file.
  package let checksum: UInt64
  /// Rank of the modules that no pattern names.
  package let rank: Int
  package let alpha: Double
  /// Scaling is alpha / sqrt(rank) instead of alpha / rank.
  package let usesRSLoRA: Bool
  package let usesDoRA: Bool
  /// In file order: the first that matches holds.
  package let rankPatterns: [Pattern]
  package let alphaPatterns: [Pattern]
  /// Whether the base stores these weights `[in, out]`; nil where the file does not say.
  package let isInputMajor: Bool?
  /// PEFT's own mark of a QA-LoRA adapter, and the group size it goes with. A float layer gets an
  /// ordinary pair in spite of it, so shapes decide what a module is.
  package let qaLoRAGroupSize: Int?
  package let baseModel: String?

  private static let sizeLimit = 16_000_000
  private static let largestRank = 1 << 20

  /// Set, each of these makes the adapter something other than an update of whole weights.
  private static let otherMethods = [
    "trainable_token_indices", "target_parameters", "layer_replication", "alora_invocation_tokens",
    "kasa_config", "monteclora_config", "velora_config", "arrow_config", "use_bdlora",
    "megatron_config",
  ]
  /// Ways to begin that leave the base weights as they are.
  private static let plainStarts: Set<String> = ["gaussian", "eva", "orthogonal"]

  /// - Throws: `AdapterError`, `FileError`.
  package init(path: String) throws {
    let bytes = try InputFile(path: path).readAll(limit: Self.sizeLimit)
    let json: JSONValue
    do {
      json = try JSONValue(parsing: bytes)
    } catch let error as JSONError {
      throw AdapterError.badConfig(
        path: path, place: "the file", expected: "JSON: \(error.reason) (byte \(error.offset))")
    }
    guard json.members != nil else {
      throw AdapterError.badConfig(path: path, place: "the file", expected: "a JSON object")
    }
    self.path = path
    checksum = XXH64.digest(bytes)
    form = json["peft_type"] == nil && json["lora_parameters"] != nil ? .mlx : .peft
    let reader = try Reader(path: path, json: form == .mlx ? Self.peftMembers(json, path) : json)
    method = try reader.method(Self.otherMethods, plainStarts: Self.plainStarts)
    rank = try reader.rank("r", limit: Self.largestRank)
    alpha = try reader.number("lora_alpha")
    usesRSLoRA = try reader.flag("use_rslora")
    usesDoRA = try reader.flag("use_dora")
    isInputMajor = form == .mlx ? nil : try reader.flag("fan_in_fan_out")
    rankPatterns = try reader.patterns("rank_pattern") {
      $0 == $0.rounded() && (1...Double(Self.largestRank)).contains($0)
    }
    alphaPatterns = try reader.patterns("alpha_pattern") { _ in true }
    qaLoRAGroupSize =
      try reader.flag("use_qalora")
      ? reader.rank("qalora_group_size", fallback: 16, limit: Self.largestRank) : nil
    baseModel = json[form == .mlx ? "model" : "base_model_name_or_path"]?.stringValue
  }

  /// What mlx-lm's configuration says, in PEFT's words: its scale is alpha / rank, one for all modules.
  private static func peftMembers(_ json: JSONValue, _ path: String) throws(AdapterError)
    -> JSONValue
  {
    let type = json["fine_tune_type"].flatMap { $0 == .null ? nil : $0 } ?? "lora"
    guard type == "lora" || type == "dora" else {
      throw .unmergeable(
        path: path, member: "fine_tune_type", value: String(type.compactText.prefix(80)))
    }
    let place = "lora_parameters"
    guard let rank = json[place]?["rank"]?.intValue, (1...largestRank).contains(rank) else {
      throw .badConfig(
        path: path, place: "\(place)['rank']", expected: "an integer from 1 to \(largestRank)")
    }
    guard let scale = json[place]?["scale"]?.doubleValue, scale.isFinite else {
      throw .badConfig(path: path, place: "\(place)['scale']", expected: "a number")
    }
    return [
      "peft_type": "LORA", "r": .integer(rank), "lora_alpha": .double(scale * Double(rank)),
      "use_dora": .bool(type == "dora"),
    ]
  }

  /// The factor of B·A for a pair of this rank and alpha.
  package func scaling(rank: Int, alpha: Double) -> Double {
    usesRSLoRA ? alpha / Double(rank).squareRoot() : alpha / Double(rank)
  }

  private struct Reader {
    let path: String
    let json: JSONValue

    /// A missing member or null counts as absent, as in PEFT's own files.
    private func value(_ name: String) -> JSONValue? {
      json[name].flatMap { $0 == .null ? nil : $0 }
    }

    private func wrong(_ place: String, _ expected: String) -> AdapterError {
      .badConfig(path: path, place: place, expected: expected)
    }

    func method(
      _ others: [String], plainStarts: Set<String>
    ) throws(AdapterError) -> Method {
      guard let name = value("peft_type")?.stringValue else {
        throw wrong("peft_type", "the name of a method")
      }
      guard let method = Method(rawValue: name) else {
        throw .otherMethod(path: path, method: name)
      }
      for name in others {
        guard let value = value(name), value != .bool(false), value.members?.isEmpty != true,
          value.arrayValue?.isEmpty != true
        else { continue }
        throw .unmergeable(path: path, member: name, value: String(value.compactText.prefix(80)))
      }
      if let start = value("init_lora_weights"), start.boolValue == nil {
        guard let name = start.stringValue, plainStarts.contains(name) else {
          throw .unmergeable(
            path: path, member: "init_lora_weights", value: String(start.compactText.prefix(80)))
        }
      }
      return method
    }

    func flag(_ name: String) throws(AdapterError) -> Bool {
      guard let value = value(name) else { return false }
      guard let flag = value.boolValue else { throw wrong(name, "true or false") }
      return flag
    }

    func rank(_ name: String, fallback: Int = 8, limit: Int) throws(AdapterError) -> Int {
      guard let value = value(name) else { return fallback }
      guard let rank = value.intValue, (1...limit).contains(rank) else {
        throw wrong(name, "an integer from 1 to \(limit)")
      }
      return rank
    }

    /// PEFT's default for alpha is 8.
    func number(_ name: String) throws(AdapterError) -> Double {
      guard let value = value(name) else { return 8 }
      guard let number = value.doubleValue, number.isFinite else { throw wrong(name, "a number") }
      return number
    }

    func patterns(
      _ name: String, isSound: (Double) -> Bool
    ) throws(AdapterError) -> [Pattern] {
      guard let value = value(name) else { return [] }
      guard let members = value.members else { throw wrong(name, "an object") }
      var patterns: [Pattern] = []
      for member in members {
        guard let number = member.value.doubleValue, number.isFinite, isSound(number) else {
          throw wrong("\(name)['\(member.name)']", "a number that can be one")
        }
        patterns.append(Pattern(key: member.name, value: number))
      }
      return patterns
    }
  }
}
