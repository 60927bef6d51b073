import Convert
import Formats
import Model
import TestModels
import Testing

@Suite struct WeightTrafficTests {
  private static func traffic(
    _ shapes: [NamedShape], config: JSONValue, tied: Bool? = nil
  ) -> WeightTraffic {
    let config = ModelConfig(document: config)
    let naming = TensorNaming(config: config, tensors: shapes)
    let tensors = shapes.map { name, shape in
      let count = shape.reduce(1, *)
      return WeightTraffic.Tensor(
        name: name, identity: naming.identify(name: name, dtype: .bf16, shape: shape),
        shape: shape, byteCount: 2 * count, parameterCount: count)
    }
    return WeightTraffic(tensors, config: config, tiesWordEmbeddings: tied)
  }

  private static let common: [NamedShape] = [
    ("model.embed_tokens.weight", [100, 16]), ("lm_head.weight", [100, 16]),
    ("model.layers.0.self_attn.q_proj.weight", [16, 16]),
    ("model.layers.0.block_sparse_moe.gate.weight", [8, 16]),
  ]

  private static let config: JSONValue = [
    "model_type": "mixtral", "num_hidden_layers": 1, "hidden_size": 16, "num_local_experts": 8,
    "num_experts_per_tok": 2,
  ]

  private static let experts: [NamedShape] = (0..<8).flatMap { expert -> [NamedShape] in
    ["w1", "w2", "w3"].map {
      ("model.layers.0.block_sparse_moe.experts.\(expert).\($0).weight", [32, 16])
    }
  }

  /// One row of the embedding (16), the head (1600), attention (256), router (128), and of eight
  /// experts of 1,536 weights two.
  @Test func twoOfEightExpertsAreRead() {
    let traffic = Self.traffic(Self.common + Self.experts, config: Self.config)
    #expect(traffic.parameterCount == 2 * 1600 + 256 + 128 + 8 * 1536)
    #expect(traffic.activeParameterCount == 2 * 1600 + 256 + 128 + 2 * 1536)
    #expect(traffic.byteCountPerToken == 2 * (16 + 1600 + 256 + 128 + 2 * 1536))
    #expect(!traffic.assumesAllExperts)
  }

  @Test func aStackIsSharedOutAlike() {
    let stacks: [NamedShape] = [
      ("model.layers.0.mlp.experts.gate_up_proj", [8, 64, 16]),
      ("model.layers.0.mlp.experts.down_proj", [8, 16, 32]),
    ]
    let traffic = Self.traffic(Self.common + stacks, config: Self.config)
    #expect(traffic.activeParameterCount == 2 * 1600 + 256 + 128 + 2 * 1536)
  }

  @Test func aTiedEmbeddingIsReadWhole() {
    let dense: [NamedShape] = [
      ("model.embed_tokens.weight", [100, 16]),
      ("model.layers.0.self_attn.q_proj.weight", [16, 16]),
    ]
    let config: JSONValue = ["model_type": "llama", "num_hidden_layers": 1]
    #expect(Self.traffic(dense, config: config).byteCountPerToken == 2 * (1600 + 256))
    #expect(Self.traffic(dense, config: config, tied: false).byteCountPerToken == 2 * (16 + 256))
    #expect(Self.traffic(dense, config: config).activeParameterCount == 1856)
  }

  @Test func withoutACountOfActiveExpertsAllAreRead() {
    let traffic = Self.traffic(
      Self.common + Self.experts, config: ["model_type": "mixtral", "num_hidden_layers": 1])
    #expect(traffic.assumesAllExperts)
    #expect(traffic.activeParameterCount == traffic.parameterCount)
  }

  /// A shared expert is read for every token; blocks that predict more tokens and parts for images
  /// are not.
  @Test func onlyWhatATokenNeedsCounts() {
    let more: [NamedShape] = [
      ("model.layers.0.mlp.shared_expert.up_proj.weight", [32, 16]),
      ("model.layers.1.self_attn.q_proj.weight", [16, 16]),
      ("vision_tower.layers.0.self_attn.q_proj.weight", [64, 64]),
      ("model.layers.0.self_attn.rotary_emb.inv_freq", [8]),
    ]
    let traffic = Self.traffic(Self.common + Self.experts + more, config: Self.config)
    #expect(traffic.activeParameterCount == 2 * 1600 + 256 + 128 + 2 * 1536 + 512)
  }
}
