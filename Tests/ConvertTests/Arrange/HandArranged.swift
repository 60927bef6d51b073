import Formats
import Foundation
import Stats
import Testing

@testable import Convert

/// A small checkpoint as a family publishes it, and the same weights as mlx-lm takes them, put there
/// element by element.
struct HandArranged: Sendable, CustomTestStringConvertible {
  let name: String
  /// `config.json`, as text.
  let config: String
  let source: [NaiveTensor]
  let arranged: [NaiveTensor]
  /// Names of the source's tensors that come back with other numbers, and how far from them.
  var rounded: [String: Float] = [:]
  /// Tensors of the source that are left out.
  var dropped: Set<String> = []

  var testDescription: String { name }
}

/// A tensor of numbers.
struct NaiveTensor: Sendable {
  var name: String
  var shape: [Int]
  var values: [Float]

  init(_ name: String, _ shape: [Int], _ values: [Float]) {
    self.name = name
    self.shape = shape
    self.values = values
  }

  /// Random weights, in BF16's precision.
  init(_ name: String, _ shape: [Int], seed: UInt64) {
    var generator = SplitMix64(seed: seed)
    self.init(
      name, shape,
      (0..<shape.reduce(1, *)).map { _ in ScaleType.bf16.round(generator.gaussian() * 0.05) })
  }

  func named(_ name: String) -> NaiveTensor { NaiveTensor(name, shape, values) }

  /// Any of the elements, by their places: first dimensions first.
  subscript(_ place: Int...) -> Float {
    values[zip(place, shape).reduce(0) { $0 * $1.1 + $1.0 }]
  }

  /// A tensor of which every element is said.
  static func made(
    _ name: String, _ shape: [Int], _ element: (_ place: [Int]) -> Float
  ) -> NaiveTensor {
    NaiveTensor(
      name, shape,
      (0..<shape.reduce(1, *)).map { index in
        var place: [Int] = []
        var rest = index
        for size in shape.reversed() {
          place.insert(rest % size, at: 0)
          rest /= size
        }
        return element(place)
      })
  }

  var test: TestTensor { TestTensor(name, .bf16, shape, values: values) }
}

// Two experts or heads, 32 wide, so that all groups are of 32.
extension HandArranged {
  static let all: [HandArranged] = [
    experts, interleaved, inputMajorHalves, latent, apart, renamed, folded, shifted, normalized,
  ]

  private static let layer = "model.layers.0."

  /// One tensor for each expert.
  private static let experts: HandArranged = {
    let up = (0..<3).map {
      NaiveTensor("\(layer)mlp.experts.\($0).up_proj.weight", [64, 32], seed: UInt64($0))
    }
    let router = NaiveTensor("\(layer)mlp.gate.weight", [3, 32], seed: 9)
    return HandArranged(
      name: "experts one by one", config: #"{"model_type": "qwen3_moe"}"#,
      // Not in the order of their numbers.
      source: [up[2], router, up[0], up[1]],
      arranged: [
        .made("\(layer)mlp.switch_mlp.up_proj.weight", [3, 64, 32]) { up[$0[0]][$0[1], $0[2]] },
        router,
      ])
  }()

  /// gpt-oss: `[experts, in, out]`, every second output the gate's.
  private static let interleaved: HandArranged = {
    let experts = "\(layer)mlp.experts."
    let both = NaiveTensor(experts + "gate_up_proj", [2, 32, 128], seed: 1)
    let bias = NaiveTensor(experts + "gate_up_proj_bias", [2, 128], seed: 2)
    let down = NaiveTensor(experts + "down_proj", [2, 64, 32], seed: 3)
    return HandArranged(
      name: "gate and up in turn", config: #"{"model_type": "gpt_oss", "hidden_size": 32}"#,
      source: [both, bias, down],
      arranged: [
        .made(experts + "gate_proj.weight", [2, 64, 32]) { both[$0[0], $0[2], 2 * $0[1]] },
        .made(experts + "up_proj.weight", [2, 64, 32]) { both[$0[0], $0[2], 2 * $0[1] + 1] },
        .made(experts + "gate_proj.bias", [2, 64]) { bias[$0[0], 2 * $0[1]] },
        .made(experts + "up_proj.bias", [2, 64]) { bias[$0[0], 2 * $0[1] + 1] },
        .made(experts + "down_proj.weight", [2, 32, 64]) { down[$0[0], $0[2], $0[1]] },
      ])
  }()

  /// Llama 4: `[experts, in, out]`, the gate's outputs first.
  private static let inputMajorHalves: HandArranged = {
    let experts = "language_model.model.layers.0.feed_forward.experts."
    let both = NaiveTensor(experts + "gate_up_proj", [2, 32, 128], seed: 1)
    let down = NaiveTensor(experts + "down_proj", [2, 64, 32], seed: 3)
    return HandArranged(
      name: "gate, then up",
      config: #"{"model_type": "llama4", "text_config": {"hidden_size": 32}}"#,
      source: [both, down],
      arranged: [
        .made(experts + "gate_proj.weight", [2, 64, 32]) { both[$0[0], $0[2], $0[1]] },
        .made(experts + "up_proj.weight", [2, 64, 32]) { both[$0[0], $0[2], 64 + $0[1]] },
        .made(experts + "down_proj.weight", [2, 32, 64]) { down[$0[0], $0[2], $0[1]] },
      ])
  }()

  /// DeepSeek: for each of two heads 32 rows of keys, then 64 of values.
  private static let latent: HandArranged = {
    let attention = "\(layer)self_attn."
    let both = NaiveTensor(attention + "kv_b_proj.weight", [192, 64], seed: 1)
    return HandArranged(
      name: "latent attention",
      config: #"{"model_type": "deepseek_v3", "qk_nope_head_dim": 32, "v_head_dim": 64}"#,
      source: [both],
      arranged: [
        .made(attention + "embed_q.weight", [2, 64, 32]) { both[$0[0] * 96 + $0[2], $0[1]] },
        .made(attention + "unembed_out.weight", [2, 64, 64]) {
          both[$0[0] * 96 + 32 + $0[1], $0[2]]
        },
      ])
  }()

  /// DBRX: all experts in the rows of one matrix; `w2` has inputs there.
  private static let apart: HandArranged = {
    let experts = "transformer.blocks.0.ffn.experts."
    let up = NaiveTensor(experts + "mlp.w1", [128, 32], seed: 1)
    let down = NaiveTensor(experts + "mlp.w2", [128, 32], seed: 2)
    return HandArranged(
      name: "experts in rows",
      config: #"{"model_type": "dbrx", "ffn_config": {"moe_num_experts": 2}}"#,
      source: [up, down],
      arranged: (0..<2).flatMap { expert in
        [
          .made(experts + "\(expert).w1.weight", [64, 32]) { up[expert * 64 + $0[0], $0[1]] },
          .made(experts + "\(expert).w2.weight", [32, 64]) { down[expert * 64 + $0[1], $0[0]] },
        ]
      })
  }()

  /// GPT-2, as openai-community has it.
  private static let renamed: HandArranged = {
    let inner = NaiveTensor("h.0.mlp.c_fc.weight", [32, 64], seed: 1)
    let table = NaiveTensor("wte.weight", [64, 32], seed: 2)
    let norm = NaiveTensor("ln_f.weight", [32], seed: 3)
    return HandArranged(
      name: "another prefix", config: #"{"model_type": "gpt2"}"#,
      source: [inner, table, norm],
      arranged: [
        .made("model.h.0.mlp.c_fc.weight", [64, 32]) { inner[$0[1], $0[0]] },
        table.named("model.wte.weight"), norm.named("model.ln_f.weight"),
      ])
  }()

  /// Falcon-H1: factors, and a convolution that tells the loader that they are in.
  private static let folded: HandArranged = {
    let query = NaiveTensor("\(layer)self_attn.q_proj.weight", [64, 32], seed: 1)
    let input = NaiveTensor("\(layer)mamba.in_proj.weight", [68, 32], seed: 2)
    let filter = NaiveTensor("\(layer)mamba.conv1d.weight", [32, 1, 4], seed: 3)
    let factors: [Float] = [2, 3, 5, 7, 11]
    return HandArranged(
      name: "factors",
      config: #"""
        {"model_type": "falcon_h1", "attention_in_multiplier": 0.25, "ssm_in_multiplier": 0.5,
         "ssm_multipliers": [2, 3, 5, 7, 11], "mamba_d_ssm": 24, "mamba_n_groups": 1,
         "mamba_d_state": 8, "mamba_n_heads": 4}
        """#,
      source: [query, input, filter],
      arranged: [
        .made("\(layer)self_attn.q_proj.weight", [64, 32]) { query[$0[0], $0[1]] / 4 },
        .made("\(layer)mamba.in_proj.weight", [68, 32]) { place in
          // 24 of the gate, 24 of the inputs, 8 of B, 8 of C, 4 of the steps.
          let part = [24, 48, 56, 64, 68].firstIndex { place[0] < $0 }!
          return input[place[0], place[1]] * factors[part] / 2
        },
        .made("\(layer)mamba.conv1d.weight", [32, 4, 1]) { filter[$0[0], 0, $0[1]] },
      ])
  }()

  /// Qwen3-Next: norms as their factor, no block for further tokens.
  private static let shifted: HandArranged = {
    let up = (0..<2).map {
      NaiveTensor("\(layer)mlp.experts.\($0).up_proj.weight", [64, 32], seed: UInt64($0))
    }
    let norm = NaiveTensor("\(layer)input_layernorm.weight", [32], seed: 4)
    let other = NaiveTensor("\(layer)linear_attn.norm.weight", [32], seed: 5)
    let further = NaiveTensor("mtp.fc.weight", [32, 64], seed: 6)
    return HandArranged(
      name: "norms with 1 added", config: #"{"model_type": "qwen3_next"}"#,
      source: [up[0], up[1], norm, other, further],
      arranged: [
        .made("\(layer)mlp.switch_mlp.up_proj.weight", [2, 64, 32]) { up[$0[0]][$0[1], $0[2]] },
        .made(norm.name, [32]) { ScaleType.bf16.round(norm[$0[0]] + 1) },
        other,
      ],
      // Half of BF16's last bit of 1.
      rounded: [norm.name: 0x1p-8], dropped: [further.name])
  }()

  /// Baichuan M1: a packed head has rows of length 1.
  private static let normalized: HandArranged = {
    let head = NaiveTensor("lm_head.weight", [64, 32], seed: 1)
    return HandArranged(
      name: "a head of unit rows", config: #"{"model_type": "baichuan_m1"}"#, source: [head],
      arranged: [
        .made(head.name, [64, 32]) { place in
          let row = (0..<32).map { Double(head[place[0], $0]) }
          let length = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
          return Float(row[place[1]] / (length + 1e-7))
        }
      ], rounded: [head.name: .infinity])
  }()
}
