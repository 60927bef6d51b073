// What each family of mlx-lm needs, each with its reason. Most reasons are one: its loader changes
// weights that it takes for 16-bit ones, by the names they have in the source, and knows packed ones
// only under the names that its own conversion writes. A family that is not here is loaded under the
// source's names.
//
// Source: ml-explore/mlx-lm 0.32.2, `models/<model_type>.py`, `sanitize`, and `utils.py`
// (`MODEL_REMAPPING`), held against the loader itself by `.ci/peers/check_families.py`.

extension MLXFamily {
  static let all: [MLXFamily] = stacks + fusedStacks + latentAttention + languageParts + others

  private static func experts(_ from: String, to: String) -> [MLXRule] {
    ["gate_proj", "up_proj", "down_proj"].map { .stack("\(from).*.\($0)", to: "\(to).\($0)") }
  }

  /// Mixtral's names.
  private static func numberedExperts(_ from: String, to: String) -> [MLXRule] {
    [("w1", "gate_proj"), ("w2", "down_proj"), ("w3", "up_proj")].map {
      .stack("\(from).*.\($0)", to: "\(to).\($1)")
    }
  }

  private static let switched = experts("mlp.experts", to: "mlp.switch_mlp")

  /// Experts that are stored one by one. Some loaders stack packed ones as well; but then the widths
  /// of a plan, which the configuration gives by the final names, would not be found.
  private static let stacks: [MLXFamily] = [
    MLXFamily(
      types: [
        "qwen2_moe", "qwen3_moe", "ernie4_5_moe", "mellum", "olmoe", "deepseek", "deepseek_v2",
        "glm4_moe", "exaone_moe", "solar_open", "laguna", "mimo_v2_flash", "hunyuan",
        "bailing_moe", "bailing_moe_linear", "bailing_hybrid", "kimi_vl", "deepseek_v3", "kimi_k2",
        "joyai_llm_flash", "deepseek_v32", "glm4_moe_lite", "glm_moe_dsa", "kimi_k25",
        "longcat_flash", "longcat_flash_ngram",
      ], rules: switched),
    MLXFamily(
      types: ["afmoe", "dots1", "Klear"], rules: experts("mlp.experts", to: "mlp.experts")),
    MLXFamily(
      types: ["mixtral", "phimoe", "minimax", "minimax_m2"],
      rules: numberedExperts("block_sparse_moe.experts", to: "block_sparse_moe.switch_mlp")),
    MLXFamily(
      types: ["jamba"], rules: experts("feed_forward.experts", to: "feed_forward.switch_mlp")),
    MLXFamily(
      types: ["phixtral", "phi-msft"],
      rules: ["fc1", "fc2"].map { .stack("moe.mlp.*.\($0)", to: "moe.switch_mlp.\($0)") }),
    MLXFamily(
      types: ["nemotron_h"],
      rules: [
        .stack("mixer.experts.*.up_proj", to: "mixer.switch_mlp.fc1"),
        .stack("mixer.experts.*.down_proj", to: "mixer.switch_mlp.fc2"),
      ]),
    // `w1.weight` of any name is `gate_proj.weight`, but its scales keep their name.
    MLXFamily(
      types: ["lfm2_moe"],
      rules: numberedExperts("feed_forward.experts", to: "feed_forward.switch_mlp") + [
        .split("feed_forward.w1", into: ["feed_forward.gate_proj"], .whole),
        .split("feed_forward.w2", into: ["feed_forward.down_proj"], .whole),
        .split("feed_forward.w3", into: ["feed_forward.up_proj"], .whole),
      ]),
    // Where it sees no single expert, the loader takes everything for converted: norms with 1 added,
    // convolutions turned, no block for predicting further tokens.
    MLXFamily(
      types: ["qwen3_next"], condition: .present("mlp.experts.*.up_proj"),
      rules: switched + [
        .turnedConvolution("conv1d"),
        .drop("mtp.", reason: "the block that predicts further tokens, which mlx-lm does not load"),
      ]
        + [
          "input_layernorm", "post_attention_layernorm", "model.norm", "q_norm", "k_norm",
        ].map { .change($0, .add(1)) }),
    // The router keeps its name: by it the loader knows that norms have no 1 added yet.
    MLXFamily(
      types: ["step3p5"],
      rules: ["gate_proj", "up_proj", "down_proj"].flatMap { name -> [MLXRule] in
        [
          .split("moe.\(name)", into: ["mlp.switch_mlp.\(name)"], .whole),
          .split("share_expert.\(name)", into: ["mlp.share_expert.\(name)"], .whole),
        ]
      }),
  ]

  /// Stacks in which gate and up projection are one weight, or that have no `.weight`.
  private static let fusedStacks: [MLXFamily] = [
    MLXFamily(
      types: ["qwen3_5_moe", "qwen3_5_moe_text", "qwen3_vl_moe", "qwen3_vl_moe_text", "mistral4"],
      rules: switched + [
        .split(
          "mlp.experts.gate_up_proj", into: ["mlp.switch_mlp.gate_proj", "mlp.switch_mlp.up_proj"],
          .halves),
        .split("mlp.experts.down_proj", into: ["mlp.switch_mlp.down_proj"], .whole),
      ]),
    MLXFamily(
      types: ["llama4", "llama4_text"],
      rules: [
        .split(
          "feed_forward.experts.gate_up_proj",
          into: ["feed_forward.experts.gate_proj", "feed_forward.experts.up_proj"], .halves),
        .split("feed_forward.experts.down_proj", into: ["feed_forward.experts.down_proj"], .whole),
      ]),
    MLXFamily(
      types: ["gpt_oss"],
      rules: [
        .split(
          "mlp.experts.gate_up_proj", into: ["mlp.experts.gate_proj", "mlp.experts.up_proj"],
          .alternating),
        .split("mlp.experts.down_proj", into: ["mlp.experts.down_proj"], .whole),
        .split(
          "mlp.experts.gate_up_proj_bias",
          into: ["mlp.experts.gate_proj.bias", "mlp.experts.up_proj.bias"], .alternating),
        .split("mlp.experts.down_proj_bias", into: ["mlp.experts.down_proj.bias"], .whole),
      ]),
    MLXFamily(
      types: ["granitemoe", "granitemoehybrid"],
      rules: [
        .split(
          "block_sparse_moe.input_linear",
          into: ["block_sparse_moe.switch_mlp.gate_proj", "block_sparse_moe.switch_mlp.up_proj"],
          .halves),
        .split(
          "block_sparse_moe.output_linear", into: ["block_sparse_moe.switch_mlp.down_proj"], .whole),
      ]),
    // Without experts, the shared ones are the layer's own. The router keeps its name in every form.
    MLXFamily(
      types: ["granitemoehybrid"], condition: .absent("block_sparse_moe.router.layer"),
      rules: [
        .split("shared_mlp.input_linear", into: ["mlp.gate_proj", "mlp.up_proj"], .halves),
        .split("shared_mlp.output_linear", into: ["mlp.down_proj"], .whole),
      ]),
    MLXFamily(
      types: ["dbrx"],
      rules: ["w1", "v1", "w2"].map {
        .apart(
          "experts.mlp.\($0)", to: "experts.*.\($0)",
          .init(member: "ffn_config", inner: "moe_num_experts"), $0 == "w2" ? .inputs : .outputs)
      }),
  ]

  /// The loader would decode `kv_b_proj`, split it, and quantize both parts a second time.
  private static let latentAttention: [MLXFamily] = [
    MLXFamily(
      types: [
        "deepseek_v3", "kimi_k2", "joyai_llm_flash", "deepseek_v32", "glm4_moe_lite",
        "glm_moe_dsa", "kimi_k25", "longcat_flash", "longcat_flash_ngram", "mistral4",
        "kimi_linear", "bailing_hybrid",
      ], rules: [.heads("kv_b_proj", keys: "embed_q", values: "unembed_out")]),
    MLXFamily(
      types: ["kimi_linear"],
      rules: numberedExperts("block_sparse_moe.experts", to: "mlp.switch_mlp")
        + ["gate_proj", "up_proj", "down_proj"].map {
          .split(
            "block_sparse_moe.shared_experts.\($0)", into: ["mlp.shared_experts.\($0)"], .whole)
        }),
  ]

  /// Language models that are part of another, under names that the loader changes: the configuration
  /// gives widths by the final ones.
  private static let languageParts: [MLXFamily] = [
    MLXFamily(
      types: [
        "gemma3", "gemma4", "gemma4_unified", "mistral3", "llava", "qwen3_5", "qwen3_5_moe",
      ],
      rules: [
        .prefix("model.language_model.", to: "language_model.model."),
        .prefix("lm_head.", to: "language_model.lm_head."),
      ]),
    MLXFamily(
      types: ["qwen2_vl", "qwen2_5_vl", "qwen3_vl", "qwen3_vl_moe"],
      rules: [
        .prefix("model.language_model.", to: "language_model.model."),
        .prefix("model.visual.", to: "visual."),
        .prefix("model.", to: "language_model.model."),
        .prefix("lm_head.", to: "language_model.lm_head."),
      ]),
  ]

  private static let others: [MLXFamily] = [
    // `h.0.attn.c_attn` and its like are turned on loading, whatever they hold.
    MLXFamily(
      types: ["gpt2"],
      rules: [.prefix("transformer.", to: "model.")]
        + ["h.", "wte.", "wpe.", "ln_f."].map { .prefix($0, to: "model." + $0) }),
    MLXFamily(types: ["gptj"], rules: [.prefix("transformer.", to: "model.")]),
    MLXFamily(
      types: ["gpt_neox"],
      rules: [
        .prefix("gpt_neox.layers.", to: "model.h."), .prefix("gpt_neox.", to: "model."),
        .prefix("embed_out.", to: "model.embed_out."),
      ]),
    // The factors of maximal update parametrization are multiplied into weights, also into packed words.
    MLXFamily(
      types: ["falcon_h1"], condition: .unturned("mamba.conv1d"),
      rules: [
        .turnedConvolution("conv1d"),
        .change("embed_tokens", .multiply(["embedding_multiplier"])),
        .change("lm_head", .multiply(["lm_head_multiplier"])),
        .change("q_proj", .multiply(["attention_in_multiplier"])),
        .change("k_proj", .multiply(["attention_in_multiplier"])),
        .change("o_proj", .multiply(["attention_out_multiplier"])),
        .change("mamba.out_proj", .multiply(["ssm_out_multiplier"])),
        .change("gate_proj", .multiply(["mlp_multipliers.0"])),
        .change("down_proj", .multiply(["mlp_multipliers.1"])),
        .change("mamba.in_proj", .multiplyParts),
      ]),
    // Rows of a head that is not packed are normalized on loading, those of a packed one are taken for
    // normalized.
    MLXFamily(types: ["baichuan_m1"], rules: [.change("lm_head", .normalizeRows)]),
    // Here the head is normalized on loading also where its words are packed.
    MLXFamily(
      types: ["bailing_moe", "bailing_moe_linear"], condition: .flag("norm_head"),
      rules: [
        .keep("lm_head", reason: "mlx-lm normalizes this head when it loads it, in 16 bits")
      ]),
  ]
}
