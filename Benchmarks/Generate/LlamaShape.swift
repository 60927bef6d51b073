import Formats

/// A model of Llama's kind that fills a number of bytes: its width is that of a published model of the
/// size, layers fill most of it, and rows of the vocabulary the rest.
struct LlamaShape {
  private struct Width {
    let hidden: Int
    let intermediate: Int
    let heads: Int
    let keyHeads: Int
    let headSize: Int
  }

  /// The largest is Llama 3 8B's, the next TinyLlama's.
  private static let widths = [
    Width(hidden: 4096, intermediate: 14_336, heads: 32, keyHeads: 8, headSize: 128),
    Width(hidden: 2048, intermediate: 5632, heads: 32, keyHeads: 4, headSize: 64),
    Width(hidden: 1024, intermediate: 2816, heads: 16, keyHeads: 4, headSize: 64),
    Width(hidden: 256, intermediate: 768, heads: 4, keyHeads: 2, headSize: 64),
  ]
  private static let leastLayers = 2

  private let width: Width
  private let storage: CheckpointRequest.Storage
  private var layerCount = 0
  private var vocabulary = 0

  /// - Throws: `BenchmarkError` where not even the smallest model is so small.
  init(byteCount: Int, storage: CheckpointRequest.Storage) throws {
    for width in Self.widths {
      var shape = LlamaShape(width, storage)
      if shape.fill(byteCount) {
        self = shape
        return
      }
    }
    throw BenchmarkError("the smallest checkpoint has about 10 MB")
  }

  private init(_ width: Width, _ storage: CheckpointRequest.Storage) {
    self.width = width
    self.storage = storage
  }

  /// - Returns: whether enough layers fit.
  private mutating func fill(_ byteCount: Int) -> Bool {
    let rowSize = 2 * width.hidden * storage.plain.byteCount
    // Published vocabularies have 8 to 32 rows for each hidden unit.
    let room = byteCount - 8 * width.hidden * rowSize
    let layerSize = layer(0).reduce(0) { $0 + $1.byteCount }
    layerCount = max(0, room / layerSize)
    vocabulary = (byteCount - layerCount * layerSize) / rowSize / 64 * 64
    return layerCount >= Self.leastLayers
  }

  /// In the order in which the model uses them.
  var tensors: [GeneratedTensor] {
    [.matrix("model.embed_tokens", vocabulary, width.hidden, storage.plain)]
      + (0..<layerCount).flatMap(layer)
      + [
        .norm("model.norm", width.hidden, storage.plain),
        .matrix("lm_head", vocabulary, width.hidden, storage.plain),
      ]
  }

  private func layer(_ index: Int) -> [GeneratedTensor] {
    let path = "model.layers.\(index)."
    let (hidden, intermediate) = (width.hidden, width.intermediate)
    let queries = width.heads * width.headSize
    let keys = width.keyHeads * width.headSize
    let linear: [(name: String, outputs: Int, inputs: Int)] = [
      ("self_attn.q_proj", queries, hidden), ("self_attn.k_proj", keys, hidden),
      ("self_attn.v_proj", keys, hidden), ("self_attn.o_proj", hidden, queries),
      ("mlp.gate_proj", intermediate, hidden), ("mlp.up_proj", intermediate, hidden),
      ("mlp.down_proj", hidden, intermediate),
    ]
    return ["input_layernorm", "post_attention_layernorm"].map {
      .norm(path + $0, hidden, storage.plain)
    } + linear.flatMap { GeneratedTensor.linear(path + $0.name, $0.outputs, $0.inputs, storage) }
  }

  /// The `config.json` of the model.
  var config: JSONValue {
    var members: [JSONValue.Member] = [
      .init("architectures", ["LlamaForCausalLM"]),
      .init("model_type", "llama"),
      .init("hidden_size", .integer(width.hidden)),
      .init("intermediate_size", .integer(width.intermediate)),
      .init("num_hidden_layers", .integer(layerCount)),
      .init("num_attention_heads", .integer(width.heads)),
      .init("num_key_value_heads", .integer(width.keyHeads)),
      .init("head_dim", .integer(width.headSize)),
      .init("vocab_size", .integer(vocabulary)),
      .init("max_position_embeddings", 8192),
      .init("hidden_act", "silu"),
      .init("rms_norm_eps", .number("1e-05")),
      .init("rope_theta", .number("10000.0")),
      .init("tie_word_embeddings", false),
      .init("torch_dtype", .string(torchName)),
    ]
    if storage == .fp8 {
      members.append(
        .init(
          "quantization_config",
          [
            "quant_method": "fp8", "fmt": "e4m3", "activation_scheme": "dynamic",
            "weight_block_size": [
              .integer(GeneratedTensor.block), .integer(GeneratedTensor.block),
            ],
          ]))
    }
    return .object(members)
  }

  private var torchName: String {
    switch storage.plain {
    case .f16: "float16"
    case .bf16: "bfloat16"
    case .f32: "float32"
    }
  }
}
