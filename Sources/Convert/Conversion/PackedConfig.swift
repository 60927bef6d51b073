import Formats
import Model

/// `config.json` and the shard index of a packed directory, as mlx-lm and mlx-swift-lm read them.
///
/// Source: ml-explore/mlx-lm, `utils.py`; ml-explore/mlx-swift-lm, `BaseConfiguration.swift`. Both
/// need `group_size` and `bits` for the whole; the Swift reader infers nothing from shapes, so every
/// layer that differs has a complete entry of its own.
enum PackedConfig {
  /// The source's configuration with the quantization written in.
  static func document(_ source: ModelConfig, plan: ConversionPlan) -> JSONValue {
    var document = source.document
    let block = quantization(plan)
    document["quantization_config"] = nil
    document["quantization"] = block
    document["quantization_config"] = block
    if let tied = plan.tiesWordEmbeddings {
      setTie(tied, in: &document, declared: source.tiesWordEmbeddings)
    }
    return document
  }

  /// Writes whether head and embedding are one: defaults differ between the runtimes, so that silence
  /// would be read both ways. A tie that turned out to be none is taken back wherever it stands.
  private static func setTie(_ tied: Bool, in document: inout JSONValue, declared: Bool?) {
    let name = "tie_word_embeddings"
    if document[name] == nil { document[name] = .bool(tied) }
    guard declared == true, !tied else { return }
    document[name] = .bool(false)
    for part in ModelConfig.textParts where document[part]?[name]?.boolValue == true {
      document[part]?[name] = .bool(false)
    }
  }

  private static func quantization(_ plan: ConversionPlan) -> JSONValue {
    let options = plan.options
    let whole = entry(bits: options.bits, groupSize: options.groupSize)
    var members = whole.members ?? []
    for tensor in plan.tensors {
      guard case .quantize(let layout, _) = tensor.action,
        layout.bits != options.bits || layout.groupSize != options.groupSize
      else { continue }
      // Appended, not looked up: no two tensors are stored under one path.
      members.append(
        .init(
          Manifest.Entry.modulePath(of: tensor.name),
          entry(bits: layout.bits, groupSize: layout.groupSize)))
    }
    return .object(members)
  }

  private static func entry(bits: Int, groupSize: Int) -> JSONValue {
    ["group_size": .integer(groupSize), "bits": .integer(bits), "mode": "affine"]
  }
}
