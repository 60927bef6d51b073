import Formats
import Model

/// Decides tensor by tensor. It remembers which patterns have matched, since one that matches
/// nothing is a mistake worth stopping for.
struct TensorPlanner {
  private let checkpoint: Checkpoint
  private let options: ConversionOptions
  private let tie: TiedWeights
  private let naming: TensorNaming
  private let arranged: ArrangedSource
  private let byName: [String: Checkpoint.Tensor]
  /// FP8 weight by the name of the scale it uses.
  private let scaledWeights: [String: String]
  private var keepMatches: [Bool]
  private var overrideMatches: [(any: Bool, quantizable: Bool)]
  /// Choices of the plan that no tensor has claimed yet, by name.
  private var unclaimed: [String: BitPlan.Choice]

  init(
    _ checkpoint: Checkpoint, _ arranged: ArrangedSource, options: ConversionOptions,
    tie: TiedWeights
  ) {
    self.arranged = arranged
    let tensors = arranged.tensors.flatMap(\.parts)
    self.checkpoint = checkpoint
    self.options = options
    self.tie = tie
    naming = TensorNaming(
      config: checkpoint.config,
      tensors: tensors.map { ($0.name, $0.dimensions) })
    let byName = Dictionary(
      checkpoint.tensors.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    self.byName = byName
    var scaled: [String: String] = [:]
    for tensor in tensors where tensor.dtype.isFloat8 {
      if let scale = WeightScale.companion(of: tensor.name, in: byName) {
        scaled[scale.name] = tensor.name
      }
    }
    scaledWeights = scaled
    keepMatches = options.keep.map { _ in false }
    overrideMatches = options.overrides.map { _ in (false, false) }
    unclaimed = Dictionary(
      (options.plan?.choices ?? []).map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// - Throws: `PlanError.patternMatchesNothing…` for the first pattern that did nothing.
  func checkPatterns() throws {
    for (pattern, matched) in zip(options.keep, keepMatches) where !matched {
      throw PlanError.patternMatchesNothing(pattern.text, option: "--keep")
    }
    for (override, matched) in zip(options.overrides, overrideMatches) {
      let text = override.pattern.text
      if !matched.any { throw PlanError.patternMatchesNothing(text, option: "--override") }
      if !matched.quantizable {
        throw PlanError.patternMatchesNothingQuantizable(text, option: "--override")
      }
    }
  }

  /// - Throws: `AllocationError.doesNotFit` for the first choice of the plan that is of no tensor.
  func checkPlan() throws {
    guard let rest = options.plan?.choices.first(where: { unclaimed[$0.name] != nil }) else {
      return
    }
    throw misfit(
      byName[rest.name] == nil
        ? "the plan names tensor '\(rest.name)', which the checkpoint lacks"
        : "the plan names tensor '\(rest.name)', which is not quantized")
  }

  private func misfit(_ difference: String) -> AllocationError {
    .doesNotFit(plan: "the plan", difference: difference)
  }

  mutating func plan(_ tensor: SourceTensor) throws -> TensorPlan {
    let name = tensor.name
    let identity = identity(of: tensor)
    let keeper = try firstKeep(matching: tensor)
    let override = try lastOverride(matching: tensor)
    let scales = try tensor.parts.map { try weightScale(of: $0) }
    func plan(_ action: TensorPlan.Action, _ standing: TensorPlan.Standing, _ reason: String)
      -> TensorPlan
    {
      TensorPlan(
        tensor: tensor, identity: identity, action: action, standing: standing, reason: reason,
        scales: scales)
    }
    func keep(_ standing: TensorPlan.Standing, _ reason: String) throws -> TensorPlan {
      if tensor.changesWhenPacked { return try self.plan(tensor.unchanged) }
      if scales.contains(where: { $0 != nil }) {
        let type = checkpoint.config?.declaredDType.flatMap(ScaleType.init) ?? .bf16
        return plan(.decode(type), standing, reason + "; decoded from \(tensor.dtype.rawValue)")
      }
      if tensor.isPacked, let type = ScaleType(tensor.dtype) {
        return plan(.decode(type), standing, reason + "; it was packed, and is decoded")
      }
      guard !tensor.isOneCopied else { return plan(.copy, standing, reason) }
      guard let type = ScaleType(tensor.dtype) else {
        throw PlanError.cannotArrange(tensor: name, dtype: tensor.dtype)
      }
      return plan(.decode(type), standing, reason)
    }

    let sourceName = tensor.parts[0].name
    if let weight = scaledWeights[sourceName] {
      return plan(.drop, .dropped, "scale of '\(weight)', which is decoded with it")
    }
    if isActivationScale(sourceName) {
      return plan(.drop, .dropped, "scale of the FP8 runtime's activations")
    }
    if sourceName == tie.redundantHead {
      return plan(.drop, .dropped, "tied: equal to the embedding, which is stored once")
    }
    if let reason = arranged.dropped[name] { return plan(.drop, .dropped, reason) }
    if let gguf = arranged.gguf {
      guard !tensor.pieces.isEmpty else {
        throw GGUFModelError.noHome(tensor: name, architecture: gguf.architecture)
      }
      let (type, wanted, reason) = try ggmlType(of: tensor, identity, in: gguf)
      if let layout = BlockLayout(type) {
        return plan(.blocks(layout, wanted: wanted), .quantized, reason)
      }
      guard let float = type.dtype.flatMap({ ScaleType($0) }) else {
        preconditionFailure("types that are no blocks are those of numbers")
      }
      let isCopied = tensor.isOneCopied && tensor.dtype == float.dtype
      return plan(
        isCopied ? .copy : .decode(float), type == wanted ? .keptOnPurpose : .keptUnfit, reason)
    }
    if let reason = arranged.kept[name] {
      unclaimed[name] = nil
      return try keep(.keptOnPurpose, reason)
    }
    switch identity.treatment {
    case .drop(let reason): return plan(.drop, .dropped, reason)
    case .keep(let reason): return try keep(.keptOnPurpose, reason)
    case .unfit(let reason): return try keep(.keptUnfit, reason)
    case .quantize: break
    }
    if let layouts = options.recordedLayouts {
      guard let layout = layouts[name],
        TensorPlan.inputCount(tensor.dimensions, identity) % layout.groupSize == 0
      else { return try keep(.keptOnPurpose, "kept, as recorded") }
      return plan(.quantize(layout, scaleType(of: tensor)), .quantized, "as recorded")
    }
    if let keeper { return try keep(.keptOnPurpose, "--keep \(keeper)") }
    if options.plan != nil, TensorPlan.fitsALayout(tensor.dimensions, identity) {
      guard let choice = try claim(tensor, identity) else {
        return try keep(.keptOnPurpose, "kept by the plan")
      }
      return plan(.quantize(choice, scaleType(of: tensor)), .quantized, identity.role.rawValue)
    }
    guard let (layout, reason) = fit(tensor, identity, override: override) else {
      return try keep(.keptUnfit, unfitReason(tensor, identity))
    }
    return plan(.quantize(layout, scaleType(of: tensor)), .quantized, reason)
  }

  /// In what a GGUF file has a tensor, what it would have if all rows were whole blocks, and why.
  private func ggmlType(
    of tensor: SourceTensor, _ identity: TensorIdentity, in model: GGUFModel
  ) throws -> (type: GGMLType, wanted: GGMLType, reason: String) {
    guard tensor.dtype.isFloat else {
      throw PlanError.cannotArrange(tensor: tensor.name, dtype: tensor.dtype)
    }
    if GGUFModel.isAlwaysF32(tensor.name, shape: tensor.dimensions) {
      return (.f32, .f32, "llama.cpp takes it in F32")
    }
    guard let types = options.ggufTypes else {
      let own = tensor.dtype.isFloat8 ? checkpoint.config?.declaredDType ?? .bf16 : tensor.dtype
      return own == .bf16 ? (.bf16, .bf16, "BF16, as its source") : (.f16, .f16, "F16")
    }
    guard types.areBlocks else { return (types.base, types.base, "as asked for") }
    let inputs = tensor.dimensions.last ?? 0
    let wanted = types.type(of: tensor.name, inputs: inputs, in: model.proportions)
    let type = wanted.fitting(inputs: inputs)
    let misfit = "\(inputs) inputs are no whole blocks of \(wanted.name)"
    guard type != wanted else { return (type, wanted, identity.role.rawValue) }
    return (
      type, wanted, BlockLayout(type) == nil ? misfit : identity.role.rawValue + "; " + misfit
    )
  }

  /// What a tensor is, by the name it has in the source, and how it is read.
  private func identity(of tensor: SourceTensor) -> TensorIdentity {
    func identity(_ name: String, _ tensor: SourceTensor) -> TensorIdentity {
      naming.identify(
        name: name, dtype: tensor.dtype, shape: tensor.dimensions, order: tensor.knownOrder)
    }
    let own = identity(tensor.parts[0].name, tensor.parts[0])
    guard tensor.origin != nil, !tensor.pieces.isEmpty else { return own }
    // What is cut is no longer what it was cut from.
    let isCut = tensor.origin?.outputs != nil
    return TensorIdentity(
      role: isCut && own.role.isFused ? identity(tensor.name, tensor).role : own.role,
      layer: own.layer, expert: tensor.pieces.count > 1 ? nil : own.expert,
      treatment: own.treatment, order: .outputMajor, fusedRows: isCut ? nil : own.fusedRows)
  }

  /// Whether a pattern is meant for a tensor, by its name in the source or in the output.
  ///
  /// - Throws: `PlanError.patternDividesStack` where only some of the tensors that become one match.
  private func matches(
    _ pattern: NamePattern, _ tensor: SourceTensor, option: String
  ) throws(PlanError) -> Bool {
    if pattern.matches(tensor.name) { return true }
    let matching = tensor.pieces.filter { pattern.matches($0.name) }
    guard matching.isEmpty || matching.count == tensor.pieces.count else {
      throw .patternDividesStack(
        pattern.text, option: option, tensor: matching[0].name, stack: tensor.name)
    }
    return !matching.isEmpty
  }

  private mutating func firstKeep(matching tensor: SourceTensor) throws(PlanError) -> String? {
    var first: String?
    for (index, pattern) in options.keep.enumerated()
    where try matches(pattern, tensor, option: "--keep") {
      keepMatches[index] = true
      first = first ?? pattern.text
    }
    return first
  }

  private mutating func lastOverride(matching tensor: SourceTensor) throws(PlanError) -> Int? {
    var last: Int?
    for (index, override) in options.overrides.enumerated()
    where try matches(override.pattern, tensor, option: "--override") {
      overrideMatches[index].any = true
      last = index
    }
    return last
  }

  /// The layout for a tensor: the group size asked for or, where that does not divide the inputs,
  /// the next smaller one that does.
  private mutating func fit(
    _ tensor: SourceTensor, _ identity: TensorIdentity, override index: Int?
  ) -> (AffineLayout, reason: String)? {
    if let index { overrideMatches[index].quantizable = true }
    let override = index.map { options.overrides[$0] }
    let bits = override?.bits ?? options.bits
    let wanted = override?.groupSize ?? options.groupSize
    let inputs = TensorPlan.inputCount(tensor.dimensions, identity)
    guard TensorPlan.fitsALayout(tensor.dimensions, identity),
      let size = AffineLayout.allowedGroupSizes.reversed().first(where: {
        $0 <= wanted && inputs % $0 == 0
      }), let layout = AffineLayout(bits: bits, groupSize: size)
    else { return nil }
    var reason = identity.role.rawValue
    if let override { reason += ", --override \(override.pattern.text)" }
    if size != wanted { reason += "; \(inputs) inputs divide by \(size), not by \(wanted)" }
    return (layout, reason)
  }

  /// What the plan chose for the tensor; nil where it keeps it.
  ///
  /// - Throws: `AllocationError.doesNotFit`.
  private mutating func claim(
    _ tensor: SourceTensor, _ identity: TensorIdentity
  ) throws -> AffineLayout? {
    let name = tensor.name
    guard let choice = unclaimed.removeValue(forKey: name) else {
      throw misfit("it has no width for tensor '\(name)'")
    }
    guard choice.shape == tensor.shape else {
      throw misfit(
        "tensor '\(name)' has shape \(tensor.shape); the plan is for \(choice.shape)")
    }
    let inputs = TensorPlan.inputCount(tensor.dimensions, identity)
    if let layout = choice.layout, inputs % layout.groupSize != 0 {
      throw misfit(
        "tensor '\(name)' has \(inputs) inputs, which groups of \(layout.groupSize) do not divide")
    }
    return choice.layout
  }

  private func unfitReason(_ tensor: SourceTensor, _ identity: TensorIdentity) -> String {
    let inputs = TensorPlan.inputCount(tensor.dimensions, identity)
    return inputs % 32 == 0
      ? "\(inputs) inputs are too many for a matrix stored input-major"
      : "\(inputs) inputs divide by none of the group sizes 32, 64, 128"
  }

  private func scaleType(of tensor: SourceTensor) -> ScaleType {
    options.scaleType ?? ScaleType(ofWeights: tensor.dtype, in: checkpoint)
  }

  private func weightScale(of tensor: SourceTensor) throws -> WeightScale? {
    guard tensor.dtype.isFloat8 else { return nil }
    let identity = naming.identify(
      name: tensor.name, dtype: tensor.dtype, shape: tensor.dimensions, order: tensor.knownOrder)
    guard let scale = WeightScale.companion(of: tensor.name, in: byName) else {
      throw SourceError.scaleMissing(tensor: tensor.name, file: checkpoint.fileName(of: tensor))
    }
    return try WeightScale(
      scale, of: tensor.stored[0], isInputMajor: identity.order == .inputMajor, in: checkpoint)
  }

  /// `P.input_scale` and its like beside an FP8 weight `P.weight`.
  private func isActivationScale(_ name: String) -> Bool {
    for suffix in [".input_scale", ".input_scale_ub", ".activation_scale"]
    where name.hasSuffix(suffix) {
      return byName[name.dropLast(suffix.count) + ".weight"]?.info.dtype.isFloat8 == true
    }
    return false
  }
}
