import Formats

/// Which tensors of a file get more bits than the others: one of llama.cpp's mixes.
///
/// Source: ggml-org/llama.cpp, `src/llama-quant.cpp`.
struct GGUFMix: Sendable {
  /// Some of a model's layers.
  enum Layers: Sendable {
    case all
    case first(Int)
    /// The first one of so many.
    case firstOf(Int)
    /// The first and the last eighth, and each third one between them.
    case spread
    /// All, where at least four heads of queries share one of keys and values.
    case ofSharedHeads
  }

  /// What a tensor gets in some layers.
  struct Rule: Sendable {
    let layers: Layers
    let type: GGMLType
  }

  /// Of values, alone or fused with queries and keys. Of several rules the first one holds, as everywhere.
  var values: [Rule] = []
  var down: [Rule] = []
  /// Those of Falcon.
  var falconDown: [Rule] = []
  var attentionOutput: GGMLType?
  var falconAttentionOutput: GGMLType?
  /// Of a model of eight experts.
  var attentionOutputOfEight: GGMLType?

  /// The type that rows of so many inputs are to have, whether they are whole blocks of it or not.
  ///
  /// - Parameters:
  ///   - name: as the file has it.
  ///   - base: of what no rule is for.
  func type(
    of name: String, inputs: Int, base: GGMLType, in model: GGUFProportions
  ) -> GGMLType {
    let isFalcon = model.architecture == "falcon"
    if name == "output.weight" || name == "token_embd.weight" && !model.hasHead {
      return isFalcon || inputs % base.blockLength != 0 ? .q8_0 : .q6_K
    }
    let parts = name.split(separator: ".")
    guard parts.count == 4, parts[0] == "blk", let layer = Int(parts[1]) else { return base }
    func ruled(_ rules: [Rule]) -> GGMLType {
      rules.first { model.has(layer, in: $0.layers) }?.type ?? base
    }
    switch parts[2] {
    case "attn_v", "attn_qkv", "attn_kv_b":
      if model.expertCount == 8 { return .q8_0 }
      let type = ruled(values)
      return model.isLlama70B && (type == .q3_K || type == .q4_K) ? .q5_K : type
    case "attn_k": return model.expertCount == 8 ? .q8_0 : base
    case "ffn_down", "ffn_down_exps", "ffn_down_shexp":
      return ruled(isFalcon ? falconDown : down)
    case "attn_output":
      if isFalcon { return falconAttentionOutput ?? base }
      return (model.expertCount == 8 ? attentionOutputOfEight : attentionOutput) ?? base
    default: return base
    }
  }
}

extension GGUFProportions {
  fileprivate func has(_ layer: Int, in layers: GGUFMix.Layers) -> Bool {
    switch layers {
    case .all: true
    case .first(let count): layer < count
    case .firstOf(let count): layer < layerCount / count
    case .spread:
      layer < layerCount / 8 || layer >= 7 * layerCount / 8 || (layer - layerCount / 8) % 3 == 2
    case .ofSharedHeads: headsPerKeyValue >= 4
    }
  }

  /// Whether llama.cpp takes it for one of 70 billion weights.
  fileprivate var isLlama70B: Bool {
    layerCount == 80
      && (architecture == "qwen2" || architecture == "llama" && headsPerKeyValue != 1)
  }
}
