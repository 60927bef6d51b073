import Formats
import Testing

@testable import Model

/// Names of experts, from those that mlx-lm gives their stacks.
@Suite struct MLXStacksTests {
  private func stacks(_ type: String) -> MLXStacks? {
    MLXStacks(config: ModelConfig(document: ["model_type": .string(type)]))
  }

  @Test func namesAreThoseOfTheSource() throws {
    let mixtral = try #require(stacks("mixtral"))
    let down = try #require(
      mixtral.origin(
        of: "model.layers.3.block_sparse_moe.switch_mlp.down_proj.weight", shape: [4, 64, 40]))
    #expect(down.shape == [64, 40] && down.isWhole == false)
    #expect(
      down.names.all
        == (0..<4).map { "model.layers.3.block_sparse_moe.experts.\($0).w2.weight" })
    let qwen = try #require(stacks("qwen3_moe"))
    let bias = try #require(
      qwen.origin(of: "model.layers.0.mlp.switch_mlp.up_proj.bias", shape: [2, 20]))
    #expect(
      bias.names.all == (0..<2).map { "model.layers.0.mlp.experts.\($0).up_proj.bias" })
    #expect(bias.shape == [20])
  }

  @Test func whatIsNoStackHasNone() throws {
    let qwen = try #require(stacks("qwen3_moe"))
    for (name, shape) in [
      ("model.layers.0.mlp.gate.weight", [6, 64]),
      ("model.layers.0.mlp.switch_mlp.up_proj.weight", [6, 64]),
      ("model.layers.0.mlp.switch_mlp.up_proj", [6, 20, 64]),
      ("model.layers.0.mlp.switch_mlp.up_proj.weight", [0, 20, 64]),
      ("model.layers.0.mlp.switch_mlp.up_proj.weight", [.max, 0, 64]),
      ("model.layers.0.other.up_proj.weight", [6, 20, 64]),
    ] as [(String, [UInt64])] {
      #expect(qwen.origin(of: name, shape: shape) == nil, "\(name) \(shape)")
    }
  }

  /// Names alone would not give back what else mlx-lm changes.
  @Test func otherFamiliesHaveNone() {
    for type in ["llama", "deepseek_v3", "gpt_oss", "qwen3_next"] { #expect(stacks(type) == nil) }
    #expect(MLXStacks(config: nil) == nil)
  }
}
