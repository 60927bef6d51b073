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
    if let tied = plan.tiesWordEmbeddings, source.document["tie_word_embeddings"] == nil {
      // Defaults differ between the runtimes; silence would be read both ways.
      document["tie_word_embeddings"] = .bool(tied)
    }
    return document
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
