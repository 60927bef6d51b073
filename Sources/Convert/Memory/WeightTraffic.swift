import Formats
import Model

/// What of a model's weights a single token needs: all of a dense model, and of a mixture the
/// experts that the router picks. Generating is bound by reading them.
package struct WeightTraffic: Sendable, Equatable {
  package struct Tensor: Sendable {
    package let name: String
    package let identity: TensorIdentity
    /// Of the weight itself, not of its packed words.
    package let shape: [Int]
    /// Of everything stored for it.
    package let byteCount: Int
    /// Weights that the bytes stand for.
    package let parameterCount: Int

    package init(
      name: String, identity: TensorIdentity, shape: [Int], byteCount: Int, parameterCount: Int
    ) {
      self.name = name
      self.identity = identity
      self.shape = shape
      self.byteCount = byteCount
      self.parameterCount = parameterCount
    }
  }

  /// Parameters of the language model.
  package let parameterCount: Int
  /// Of these, without the experts that a token does not see. Embeddings count, as usual.
  package let activeParameterCount: Int
  /// Bytes of weights that are read for a token when one sequence is generated: active experts
  /// only, and of tables that are looked up one row.
  package let byteCountPerToken: Int
  /// Whether there are experts but the configuration does not tell how many see a token; all count
  /// as active then.
  package let assumesAllExperts: Bool

  /// - Parameters:
  ///   - tensors: those that a runtime loads. Parts for images and sound, buffers, and blocks beyond
  ///     the last layer of `config` are left out here.
  ///   - tiesWordEmbeddings: whether the embedding is also the output head, and so read whole; nil
  ///     to conclude it from the absence of a head.
  package init(
    _ tensors: some Collection<Tensor>, config: ModelConfig?, tiesWordEmbeddings: Bool?
  ) {
    let loaded = tensors.filter { tensor in
      switch tensor.identity.role {
      case .tower, .rotaryBuffer, .maskBuffer, .positionIDs: return false
      default: return tensor.identity.layer.map { $0 < config?.layerCount ?? .max } ?? true
      }
    }
    let isTied = tiesWordEmbeddings ?? !loaded.contains { $0.identity.role == .outputHead }
    let experts = Experts(loaded.filter(\.isExpert), config: config)
    var parameters = 0
    var active = 0
    var bytes = 0
    for tensor in loaded {
      parameters = Self.add(parameters, tensor.parameterCount)
      active = Self.add(active, experts.share(of: tensor, tensor.parameterCount))
      bytes = Self.add(
        bytes,
        tensor.isTable(tied: isTied)
          ? tensor.byteCount / max(1, tensor.shape.first ?? 1)
          : experts.share(of: tensor, tensor.byteCount))
    }
    parameterCount = parameters
    activeParameterCount = active
    byteCountPerToken = bytes
    assumesAllExperts = experts.exist && experts.active == nil
  }

  private static func add(_ a: Int, _ b: Int) -> Int { Checked.sum(a, b) ?? .max }
}

extension WeightTraffic {
  /// How many experts each layer has and a token sees.
  private struct Experts {
    let exist: Bool
    let active: Int?
    private let configured: Int?
    /// Experts by layer where each has tensors of its own.
    private var counted: [Int?: Int] = [:]

    init(_ tensors: [Tensor], config: ModelConfig?) {
      exist = !tensors.isEmpty
      active = config?.activeExpertCount
      configured = config?.expertCount
      var seen: [Int?: Set<Int>] = [:]
      for tensor in tensors {
        if let expert = tensor.identity.expert {
          seen[tensor.identity.layer, default: []].insert(expert)
        }
      }
      counted = seen.mapValues(\.count)
    }

    /// Of `amount`, what belongs to the experts that a token sees, rounded up.
    func share(of tensor: Tensor, _ amount: Int) -> Int {
      guard tensor.isExpert, let active, amount > 0 else { return amount }
      let count =
        tensor.identity.expert == nil
        ? configured ?? tensor.shape.first : counted[tensor.identity.layer]
      guard let count, active < count else { return amount }
      let (quotient, remainder) = count.dividingFullWidth(amount.multipliedFullWidth(by: active))
      return remainder == 0 ? quotient : quotient + 1
    }
  }
}

extension WeightTraffic.Tensor {
  /// Whether it belongs to one of the experts of a layer: scales of stacks included.
  fileprivate var isExpert: Bool {
    identity.role.isExpert || TensorName(name).path.contains("experts")
  }

  /// Whether a token needs one row of it only.
  fileprivate func isTable(tied: Bool) -> Bool {
    switch identity.role {
    case .tokenEmbedding: !tied
    case .positionEmbedding, .tokenTypeEmbedding: true
    default: false
    }
  }
}
