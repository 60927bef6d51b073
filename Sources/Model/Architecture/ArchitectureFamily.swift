import Formats

/// What is particular to the models of one `model_type`, as data: the names of their tensors, the keys of
/// their configurations, and what absent keys mean. A row begins as Llama and says what differs.
///
/// Sources of all facts: huggingface/transformers 5.24, `models/<model_type>/configuration_*.py` and
/// `modeling_*.py`; of ChatGLM's keys, the files that its authors put beside the weights.
struct ArchitectureFamily: Sendable {
  let modelType: String

  // Names of tensors, without `.weight`. Those of a layer are behind `layers`, its number and a point.
  var embedding = ["model.embed_tokens"]
  var layers = "model.layers."
  var finalNorm: String? = "model.norm"
  var head = ["lm_head"]
  /// What files of the model without its head leave out.
  var optionalPrefix = "model."
  /// How linear layers are stored.
  var order = MatrixOrder.outputMajor

  // Sizes.
  var hiddenSize = ["hidden_size"]
  var layerCount = ["num_hidden_layers", "n_layer"]
  var vocabularySize = ["vocab_size"]
  var contextLength = ["max_position_embeddings"]

  // Embedding and head.
  var embeddingScale = EmbeddingScale.one
  var embeddingProjection: EmbeddingProjection?
  var embeddingNorm: String?
  var isTied = false
  var headBias = Flag.never
  var logitScale = LogitScale.one
  var logitCap: Fact<Double>?

  // Norms.
  var norm = NormDescription.Kind.rms
  var normWeights = Flag.always
  /// Of layer norms.
  var normBiases = Flag.always
  var epsilon = Fact(["rms_norm_eps"], absent: 1e-6)
  var norms = NormNames(preMixer: "input_layernorm", preFeedForward: "post_attention_layernorm")
  var arrangement = LayerDescription.Arrangement.sequential
  var residualScale = Fact<Double>.always(1)
  var addsToNormalized = false

  // The mixer.
  var mixer = Mixer.attention
  var headCount = ["num_attention_heads", "n_head"]
  var keyValueHeads = KeyValueHeads.listed(["num_key_value_heads"], absent: nil)
  /// Null means hidden size / heads; so does absence where nothing else is said.
  var headWidth = Fact<Int>(["head_dim"], absent: nil)
  var projection = Projection.separate(
    query: "self_attn.q_proj", key: "self_attn.k_proj", value: "self_attn.v_proj")
  var output = "self_attn.o_proj"
  var projectionBias = Flag.never
  var outputBias = Flag.never
  var queryKeyNorm: QueryKeyNorm?
  var positions = Positions.rotary
  var rotary = Rotary()
  var scale = Scale.inverseRootOfWidth
  var dividesScaleByLayer = false
  var attentionCap: Fact<Double>?
  var window = WindowRule.none
  /// Window where the key is absent; null always means none.
  var absentWindow: Int?
  /// Whether `layer_types` decides; else it must agree with the rule.
  var followsLayerTypes = false
  var sinks: String?

  // The feed-forward part.
  var feedForward: FeedForward? = .gated(
    gate: "mlp.gate_proj", up: "mlp.up_proj", down: "mlp.down_proj")
  var feedForwardWidth = Fact<Int>(["intermediate_size"], absent: nil)
  /// Width / hidden size where the key is null or absent.
  var feedForwardRatio: Int?
  var activation = Fact(["hidden_act"], absent: "silu")
  var feedForwardBias = Flag.never
  var mixture: Mixture?

  // What configurations change of the row, in this order.
  var variants: [Variant] = []
  /// Values that keys must have where they are there.
  var fixed: [String: [JSONValue]] = [:]
  /// Keys that transformers does not read for this family, though others mean something by them.
  var ignored: Set<String> = []

  init(_ modelType: String, _ change: (inout ArchitectureFamily) -> Void = { _ in }) {
    self.modelType = modelType
    change(&self)
  }
}

extension ArchitectureFamily {
  /// A value under the first of several keys, and what it is without any.
  struct Fact<Value: Sendable>: Sendable {
    let keys: [String]
    let absent: Value?

    init(_ keys: [String], absent: Value?) {
      self.keys = keys
      self.absent = absent
    }

    static func always(_ value: Value) -> Fact { Fact([], absent: value) }
  }

  enum Flag: Sendable {
    case never
    case always
    case key(String, absent: Bool)
  }

  enum EmbeddingScale: Sendable {
    case one
    case rootOfHiddenSize
    case key(String)
  }

  /// Where rows of the embedding are narrower than the hidden states.
  struct EmbeddingProjection: Sendable {
    let widthKey: String
    let input: String
    let output: String
  }

  enum LogitScale: Sendable {
    case one
    case times(Fact<Double>)
    case dividedBy(Fact<Double>)
  }

  struct NormNames: Sendable {
    var preMixer: String?
    var postMixer: String?
    var afterMixer: String?
    var preFeedForward: String?
    var postFeedForward: String?
    var afterFeedForward: String?
  }

  enum Mixer: Sendable {
    case attention
    case latentAttention
    case mamba
    case mamba2
  }

  enum KeyValueHeads: Sendable {
    /// As many as query heads where the key is null, and where it is absent and nothing else is said.
    case listed([String], absent: Int?)
    case asQueries
    case one
  }

  enum Projection: Sendable {
    case separate(query: String, key: String, value: String)
    case fused(String, RowOrder)
  }

  enum RowOrder: Sendable {
    /// All queries, all keys, all values.
    case contiguous
    /// For each key head its queries, the key, the value.
    case grouped
  }

  struct QueryKeyNorm: Sendable {
    enum Form: Sendable {
      /// Over a head; its weights are those of all heads.
      case head
      /// Over a head, with weights `[heads, width]`.
      case headsOfOneTensor
      /// Over a head, with a tensor for each: the names end in its number.
      case headsOfTheirOwn
      /// Over the features of all heads.
      case all
    }

    let form: Form
    let query: String
    let key: String
    var isThere = Flag.always
    /// Of layer norms.
    var hasBias = false
  }

  enum Positions: Sendable {
    case rotary
    case linearBias(LinearBias.Form)
    /// Rows of a table from `offset` on; it has `offset` more than the context is long.
    case learned(String, offset: Int)
    case none
  }

  struct Rotary: Sendable {
    var pairing = RotaryDescription.Pairing.halves
    var base = Fact(["rope_theta"], absent: 10_000.0)
    /// What the base is multiplied with.
    var baseRatio = Fact.always(1.0)
    /// Share of a head's features that are turned.
    var fraction = Fact(["partial_rotary_factor"], absent: 1.0)
    /// The base of layers with a window, without scaling, where it is another.
    var windowBase: Fact<Double>?
    /// A list of ones and zeros, 1 for layers with rotary positions, and how often one is without them where
    /// the list is absent.
    var layerList: (key: String, interval: Fact<Int>)?
  }

  enum Scale: Sendable {
    /// 1 / sqrt(head width).
    case inverseRootOfWidth
    case inverseRoot(Fact<Double>)
    case factor(Fact<Double>)
  }

  enum WindowRule: Sendable {
    case none
    case everyLayer
    case evenLayers
    /// All layers but each nth.
    case allButEach(Fact<Int>)
    // Only where `use_sliding_window` is true:
    case everyLayerIfEnabled
    /// Layers from `max_window_layers` on.
    case lateLayersIfEnabled
    /// Even ones of those before.
    case evenEarlyLayersIfEnabled
    /// Those without rotary positions.
    case unrotatedLayersIfEnabled
  }

  enum FeedForward: Sendable {
    case gated(gate: String, up: String, down: String)
    /// Gate, then up.
    case fusedGated(String, down: String)
    case plain(up: String, down: String)
  }

  struct Mixture: Sendable {
    var router: String
    var routerBias = false
    var routing: Routing
    /// Names begin behind the layer's.
    var experts: ExpertsDescription.Storage
    var count: Fact<Int>
    var chosen: Fact<Int>
    var width: [String]
    var shared: Shared?
    var layers = Layers.all
    /// Limit and alpha of clamped gating.
    var clamp: (limit: Fact<Double>, alpha: Fact<Double>)?

    enum Routing: Sendable {
      case softmax(renormalizes: Flag)
      case softmaxOfChosen
      case sigmoid(bias: String)
    }

    enum Layers: Sendable {
      case all
      /// Those of `mlp_only_layers` are dense, and of the others all but each `decoder_sparse_step`th.
      case listed
      /// Those from a number on.
      case from(key: String)
    }

    struct Shared: Sendable {
      /// What the names of its three modules begin with.
      let prefix: String
      let width: Width
      let gate: String?

      enum Width: Sendable {
        case key(String)
        /// So many times the width of one expert.
        case multiple(key: String)
      }
    }
  }

  /// What is otherwise where keys have certain values.
  struct Variant: Sendable {
    struct Condition: Sendable {
      let key: String
      let value: JSONValue
      let absent: JSONValue
    }

    let conditions: [Condition]
    let change: @Sendable (inout ArchitectureFamily) -> Void
  }

  /// Adds a change for where a flag is set, or is not, whatever it is not when it is absent.
  mutating func when(
    _ key: String, is value: Bool, _ change: @escaping @Sendable (inout ArchitectureFamily) -> Void
  ) {
    variants.append(
      Variant(
        conditions: [.init(key: key, value: .bool(value), absent: .bool(!value))], change: change))
  }
}
