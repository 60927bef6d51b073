import Formats

/// What an architecture of llama.cpp is, as data: what it calls the parts of a layer, what it computes by
/// itself, and what it reads from keys. A row begins as `qwen2` and says what differs.
///
/// Source of all facts: ggml-org/llama.cpp, `src/models/*.cpp`, `src/llama-model.cpp`, `conversion/*.py`.
struct GGUFArchitecture: Sendable {
  /// As config.json names them.
  let modelTypes: Set<String>
  /// `general.architecture`, and what the names of its keys begin with.
  let name: String

  /// Which features of a head are turned together; nil where none are.
  var rotation: Rotation? = .halves
  var head = Head.optional
  var norms = NormNames(preMixer: "attn_norm", preFeedForward: "ffn_norm")
  var activations: [Activation] = [.silu]
  /// How the weights of chosen experts must be made.
  var routing = Routing.renormalized
  /// Whether all heads together must be as wide as the hidden states.
  var isSquare = false
  /// What else models of it may have.
  var features: Set<Feature> = []

  enum Rotation: Sendable {
    /// ggml's `NORM`.
    case adjacent
    /// ggml's `NEOX`.
    case halves
  }

  enum Head: Sendable {
    /// The embedding where there is none.
    case optional
    /// A copy of the embedding where it is tied.
    case required
    /// It is the embedding.
    case forbidden
  }

  struct NormNames: Sendable {
    var preMixer: String?
    var postMixer: String?
    var preFeedForward: String?
    var postFeedForward: String?
  }

  enum Routing: Sendable {
    case renormalized
    case asTheyAre
    case keyed
  }

  enum Feature: Sendable {
    /// The feed-forward part beside the mixer; without it, behind.
    case parallel
    case sequential
    case queryKeyNorm
    case learnedPositions
    case embeddingNorm
    case headBias
    case linearBias
    case sinks
    case embeddingScale
    /// The square root of the hidden size, without a key.
    case rootEmbeddingScale
    case residualScale
    case attentionScale
    /// 1 / √(head width) always; another is multiplied into queries, or into their norm.
    case foldedAttentionScale
    /// The key multiplies logits.
    case logitScale
    /// The key divides logits.
    case logitDivisor
    case attentionCap
    case logitCap
    /// Even layers have a window.
    case evenWindows
    /// A key says which layers have one.
    case windowPattern
    /// Layers with a window have a base of their own.
    case windowBase
    /// Every fourth layer is not rotated.
    case everyFourthUnrotated
    /// Divisors of rotary frequencies, as a tensor.
    case frequencyDivisors
    /// The same for short and for long texts.
    case longFrequencyDivisors
  }

  init(
    _ modelTypes: Set<String>, _ name: String, _ change: (inout GGUFArchitecture) -> Void = { _ in }
  ) {
    self.modelTypes = modelTypes
    self.name = name
    change(&self)
    if !features.contains(.parallel) { features.insert(.sequential) }
  }

  /// - Throws: `GGUFModelError.unknownModelType`.
  static func row(of modelType: String) throws(GGUFModelError) -> GGUFArchitecture {
    guard let row = all.first(where: { $0.modelTypes.contains(modelType) }) else {
      throw .unknownModelType(modelType)
    }
    return row
  }
}

extension GGUFArchitecture {
  static let all: [GGUFArchitecture] = llamaLike + gemmas + mixtures + layerNormed + recurrent

  private static let gelu: [Activation] = [.gelu, .geluTanh]

  private static let llamaLike: [GGUFArchitecture] = [
    .init(["llama", "mistral", "mixtral"], "llama") {
      $0.rotation = .adjacent
      $0.features = [.frequencyDivisors]
    },
    .init(["smollm3"], "smollm3") {
      $0.rotation = .adjacent
      $0.features = [.everyFourthUnrotated]
    },
    .init(["granite"], "granite") {
      $0.rotation = .adjacent
      $0.features = [
        .embeddingScale, .residualScale, .attentionScale, .logitDivisor, .frequencyDivisors,
      ]
    },
    .init(["qwen2"], "qwen2") { $0.isSquare = true },
    .init(["qwen3"], "qwen3") { $0.features = [.queryKeyNorm] },
    .init(["phi3"], "phi3") {
      $0.isSquare = true
      $0.features = [.longFrequencyDivisors]
    },
    .init(["olmo2"], "olmo2") {
      $0.isSquare = true
      $0.head = .required
      $0.norms = NormNames(postMixer: "post_attention_norm", postFeedForward: "post_ffw_norm")
      $0.features = [.queryKeyNorm]
    },
    .init(["glm", "chatglm"], "chatglm") {
      $0.rotation = .adjacent
      $0.isSquare = true
    },
    .init(["glm4"], "glm4") {
      $0.rotation = .adjacent
      $0.norms.postMixer = "post_attention_norm"
      $0.norms.postFeedForward = "post_ffw_norm"
    },
  ]

  private static let gemmas: [GGUFArchitecture] = [
    .init(["gemma"], "gemma") {
      $0.isGemma()
      $0.head = .forbidden
    },
    .init(["gemma2"], "gemma2") {
      $0.isLaterGemma()
      $0.head = .forbidden
      $0.features.formUnion([.attentionCap, .evenWindows])
    },
    .init(["gemma3_text"], "gemma3") {
      $0.isLaterGemma()
      $0.features.formUnion([.queryKeyNorm, .windowPattern, .windowBase])
    },
  ]

  private mutating func isGemma() {
    activations = Self.gelu
    features = [.rootEmbeddingScale]
  }

  private mutating func isLaterGemma() {
    isGemma()
    norms.postMixer = "post_attention_norm"
    norms.postFeedForward = "post_ffw_norm"
    features.formUnion([.foldedAttentionScale, .logitCap])
  }

  private static let mixtures: [GGUFArchitecture] = [
    .init(["qwen2_moe"], "qwen2moe") {
      $0.isSquare = true
      $0.head = .required
      $0.routing = .asTheyAre
    },
    .init(["qwen3_moe"], "qwen3moe") { $0.features = [.queryKeyNorm] },
    .init(["gpt_oss"], "gpt-oss") {
      $0.head = .required
      $0.norms.preFeedForward = "post_attention_norm"
      $0.features = [.sinks, .evenWindows]
    },
    .init(["deepseek_v3"], "deepseek2") {
      $0.rotation = .adjacent
      $0.routing = .keyed
    },
  ]

  private static let layerNormed: [GGUFArchitecture] = [
    .init(["stablelm"], "stablelm") {
      $0.isSquare = true
      $0.head = .required
      $0.features = [.parallel, .sequential, .queryKeyNorm]
    },
    .init(["cohere"], "command-r") {
      $0.rotation = .adjacent
      $0.isSquare = true
      $0.head = .forbidden
      $0.features = [.parallel, .logitScale]
    },
    .init(["starcoder2"], "starcoder2") {
      $0.isSquare = true
      $0.activations = gelu
    },
    .init(["phi"], "phi2") {
      $0.activations = gelu
      $0.head = .required
      $0.features = [.parallel, .headBias]
    },
    .init(["gpt2"], "gpt2") {
      $0.rotation = nil
      $0.activations = gelu
      $0.features = [.learnedPositions]
    },
    .init(["gpt_neox"], "gptneox") {
      $0.activations = gelu
      $0.head = .required
      $0.features = [.parallel, .sequential]
    },
    .init(["falcon"], "falcon") {
      $0.activations = gelu
      $0.features = [.parallel]
    },
    .init(["bloom"], "bloom") {
      $0.rotation = nil
      $0.activations = gelu
      $0.features = [.linearBias, .embeddingNorm]
    },
  ]

  private static let recurrent: [GGUFArchitecture] = [
    .init(["mamba"], "mamba") { $0.rotation = nil },
    .init(["mamba2"], "mamba2") { $0.rotation = nil },
  ]
}
