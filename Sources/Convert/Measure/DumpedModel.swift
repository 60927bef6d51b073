import Formats
import Model

/// The checkpoint, asked what a dump's tensors belong to and whether they fit.
struct DumpedModel {
  struct Weight {
    let name: String
    let identity: TensorIdentity
    let inputCount: Int
    /// Matrices that it holds.
    let matrixCount: Int
    /// Of a stack of experts, which one is meant; nil for all that the tensor holds.
    var stackIndex: Int?

    /// What tells which layers have the same inputs; nil for a layer that shares its with none.
    var sharedInput: Place? {
      identity.role.sharedInput.map {
        Place(role: $0, layer: identity.layer, expert: identity.expert)
      }
    }
  }

  struct Place: Hashable {
    let role: TensorRole
    let layer: Int?
    var expert: Int?
  }

  /// By module path.
  private var weights: [String: Weight] = [:]
  /// Several where experts have tensors of their own.
  private var places: [Place: [Weight]] = [:]
  /// Outputs of the key and value projections by layer, where they are layers of their own or known
  /// rows of a fused one.
  private var keyWidths: [Int: (weight: String, count: Int)] = [:]
  private var valueWidths: [Int: (weight: String, count: Int)] = [:]
  /// The same of latent attention's down projection, of which the configuration tells the parts.
  private var latentWidths: [Int: (weight: String, count: Int)] = [:]
  private var rotaryWidths: [Int: (weight: String, count: Int)] = [:]
  private let latentWidth: Int?
  private var layerCount = 0

  /// What a head is called that has no weight of its own.
  static let headModule = "lm_head"

  /// - Throws: as `Checkpoint.sourceTensors`.
  init(_ checkpoint: Checkpoint) throws {
    latentWidth = checkpoint.config?.latentWidth
    let tensors = try checkpoint.sourceTensors()
    let naming = TensorNaming(
      config: checkpoint.config, tensors: tensors.map { ($0.name, $0.dimensions) })
    for tensor in tensors {
      let shape = tensor.dimensions
      let identity = naming.identify(
        name: tensor.name, dtype: tensor.dtype, shape: shape, order: tensor.knownOrder)
      if let layer = identity.layer { layerCount = max(layerCount, layer + 1) }
      guard shape.count >= 2 else { continue }
      let inputs = TensorPlan.inputCount(shape, identity)
      let outputs = MatrixShape(stored: shape, identity.order).outputs
      let weight = Weight(
        name: tensor.name, identity: identity, inputCount: inputs,
        matrixCount: shape.dropLast(2).reduce(1, *))
      weights[Manifest.Entry.modulePath(of: tensor.name)] = weight
      places[Place(role: identity.role, layer: identity.layer), default: []].append(weight)
      noteCache(tensor.name, identity, outputs: outputs)
    }
    // A tied head has inputs, and the embedding as its weight.
    let head = Self.headModule
    if places[Place(role: .outputHead, layer: nil)] == nil, weights[head] == nil {
      weights[head] = places[Place(role: .tokenEmbedding, layer: nil)]?.first
    }
  }

  private mutating func noteCache(_ name: String, _ identity: TensorIdentity, outputs: Int) {
    guard let layer = identity.layer else { return }
    switch identity.role {
    case .attnK: keyWidths[layer] = (name, outputs)
    case .attnV: valueWidths[layer] = (name, outputs)
    case .attnKVA:
      guard let latentWidth, latentWidth < outputs else { return }
      latentWidths[layer] = (name, latentWidth)
      rotaryWidths[layer] = (name, outputs - latentWidth)
    case .attnQKV, .attnKV:
      guard let rows = identity.fusedRows else { return }
      keyWidths[layer] = (name, rows.rowCount(of: .k))
      valueWidths[layer] = (name, rows.rowCount(of: .v))
    default: break
    }
  }

  var allWeights: some Collection<Weight> { weights.values }

  /// The weight whose inputs a tensor of a dump holds, by the convention's name.
  func weight(ofInput name: String) -> Weight? {
    guard case .input(let module)? = DumpName(name)?.subject else { return nil }
    return weight(ofModule: module)
  }

  /// The weight of a linear layer. An expert of a stack has its number where the stack's name has none.
  func weight(ofModule module: String) -> Weight? {
    if let weight = weights[module] { return weight }
    let parts = module.split(separator: ".", omittingEmptySubsequences: false)
    for place in parts.indices.reversed() {
      guard let index = Int(parts[place]), index >= 0 else { continue }
      var rest = parts
      rest.remove(at: place)
      guard var stack = weights[rest.joined(separator: ".")], index < stack.matrixCount,
        stack.matrixCount > 1
      else { continue }
      stack.stackIndex = index
      return stack
    }
    return nil
  }

  /// The weights of a role in a layer. Where gate and up projection are fused, GGUF calls the pair
  /// the up projection.
  func weights(of role: TensorRole, layer: Int?) -> [Weight] {
    let found = places[Place(role: role, layer: layer)] ?? []
    guard found.isEmpty, role == .mlpUp else { return found }
    return places[Place(role: .mlpGateUp, layer: layer)] ?? []
  }

  /// - Throws: `DumpError` where the tensor is none of this model.
  func check(
    _ tensor: TensorDump.Tensor, from origin: TensorDump.Origin
  ) throws(DumpError) {
    func checkLayer(_ layer: Int, _ width: (weight: String, count: Int)?) throws(DumpError) {
      guard layer < layerCount else {
        throw .unknownLayer(
          file: origin.file, tensor: origin.tensor, layer: layer, layerCount: layerCount)
      }
      if let width, width.count != tensor.width {
        throw .widthMismatch(
          file: origin.file, tensor: origin.tensor, shape: origin.shape, weight: width.weight,
          expected: width.count)
      }
    }
    switch tensor.subject {
    case .input(let module):
      guard let weight = weight(ofModule: module) else {
        throw .unknownModule(file: origin.file, tensor: origin.tensor, module: module)
      }
      guard weight.inputCount == tensor.width else {
        throw .widthMismatch(
          file: origin.file, tensor: origin.tensor, shape: origin.shape, weight: weight.name,
          expected: weight.inputCount)
      }
    case .key(let layer): try checkLayer(layer, keyWidths[layer])
    case .value(let layer): try checkLayer(layer, valueWidths[layer])
    case .latent(let layer): try checkLayer(layer, latentWidths[layer])
    case .rotaryKey(let layer): try checkLayer(layer, rotaryWidths[layer])
    }
  }

  func identify(_ subject: DumpName.Subject) -> DumpIdentity {
    switch subject {
    case .input(let module):
      let weight = weight(ofModule: module)
      return DumpIdentity(
        kind: .activation, weight: weight?.name ?? "", role: weight?.identity.role,
        layer: weight?.identity.layer,
        expert: weight?.stackIndex ?? weight?.identity.expert)
    case .key(let layer): return DumpIdentity(kind: .key, layer: layer)
    case .value(let layer): return DumpIdentity(kind: .value, layer: layer)
    case .latent(let layer): return DumpIdentity(kind: .latent, layer: layer)
    case .rotaryKey(let layer): return DumpIdentity(kind: .rotaryKey, layer: layer)
    }
  }
}
