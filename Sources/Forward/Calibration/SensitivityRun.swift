import Convert
import Formats
import Model

/// Measures what quantizing one tensor, or the keys or values of one layer, at a time does to a model's
/// predictions. A run begins at the layer that they are of, with what the layers before it gave.
package struct SensitivityRun {
  private let model: ForwardModel
  private let plan: ConversionPlan
  private let batch: TokenBatch
  private let windows: WindowPlan
  private let meanSquares: [String: [Float]]
  private let units: [Unit]
  private let options: ForwardOptions

  /// Tensors of the conversion that are quantized together, as they are made of the same tensors of the source.
  private struct Unit {
    /// Indices into the plan's tensors, with the share that each has in the weights.
    var members: [(index: Int, share: Double)]
    var sources: Set<String>
    /// The first layer whose results change; nil for the head alone.
    let firstLayer: Int?
    /// Whether what goes into the first layer changes.
    let isEmbedding: Bool
  }

  /// The keys or the values of a layer that has a cache of them.
  private struct CacheUnit {
    let layer: Int
    let kind: TensorStatistics.Kind
    /// Features of a token and head.
    let width: Int
  }

  private var caches: [CacheUnit] {
    model.description.layers.flatMap { layer -> [CacheUnit] in
      // Latent attention caches neither.
      guard case .attention(let attention) = layer.mixer else { return [] }
      return [
        CacheUnit(layer: layer.index, kind: .key, width: attention.heads.width),
        CacheUnit(layer: layer.index, kind: .value, width: attention.heads.valueWidth),
      ]
    }
  }

  /// Predictions beyond which more say little: the KL of a tensor differs by factors between tensors.
  package static let usualTokens = 2048

  /// - Parameters:
  ///   - tokens: of these, as many whole windows as fit into `limit`, at least one.
  ///   - meanSquares: of the inputs, by name of the weight.
  /// - Throws: as `ConversionPlan.init`; `ForwardError.tooFewTokens`.
  package init(
    _ model: ForwardModel, _ tokens: [Int], _ windows: WindowPlan, limit: Int = usualTokens,
    meanSquares: [String: [Float]], options forward: ForwardOptions = ForwardOptions()
  ) throws {
    var options = ConversionOptions()
    options.requantizes = true
    options.groupSize = Sensitivity.groupSize
    plan = try ConversionPlan(model.checkpoint, options: options)
    self.model = model
    self.windows = windows
    self.meanSquares = meanSquares
    let all = try windows.windows(of: tokens)
    batch = TokenBatch(Array(all.prefix(max(1, limit / windows.length))))
    self.options = forward
    units = Self.units(plan)
  }

  private static func units(_ plan: ConversionPlan) -> [Unit] {
    var units: [Unit] = []
    for (index, tensor) in plan.tensors.enumerated() {
      guard case .quantize = tensor.action else { continue }
      let sources = Set(tensor.tensor.parts.map(\.name))
      let weight = Double(tensor.tensor.elementCount)
      if let place = units.firstIndex(where: { !$0.sources.isDisjoint(with: sources) }) {
        units[place].members.append((index, weight))
        units[place].sources.formUnion(sources)
      } else {
        let isHead = tensor.identity.role == .outputHead
        let isEmbedding = tensor.identity.layer == nil && !isHead
        units.append(
          Unit(
            members: [(index, weight)], sources: sources,
            firstLayer: isHead ? nil : tensor.identity.layer ?? 0, isEmbedding: isEmbedding))
      }
    }
    for index in units.indices {
      let sum = units[index].members.reduce(0) { $0 + $1.share }
      for member in units[index].members.indices { units[index].members[member].share /= sum }
    }
    return units
  }

  /// Of progress: one for each run of the layers.
  package var byteCount: Int { model.byteCount }

  /// - Throws: `ForwardError`, `CancellationError`; what reading weights throws.
  package func run(_ context: RunContext) throws -> Sensitivity {
    let quiet = RunContext(threads: context.threads, cancellation: context.cancellation)
    let candidates = try candidates(quiet)
    let count = model.description.layers.count
    let pass = try ForwardPass(model, batch, options: options, quiet)
    // What goes into each layer, and what comes out of the last.
    var states = [try pass.embedded(limit: stateLimit)]
    for layer in 0..<count {
      let hidden = try states[layer].copy(limit: stateLimit)
      try pass.run(layer..<layer + 1, over: hidden)
      states.append(hidden)
    }
    let base = HeadRun.Side(pass: pass, hidden: states[count])
    var tensors: [String: [Sensitivity.Point]] = [:]
    for unit in units {
      var points = [[Sensitivity.Point]](repeating: [], count: unit.members.count)
      for bits in Sensitivity.bits {
        let found = try divergence(of: unit, bits: bits, states, base, quiet)
        for (place, member) in unit.members.enumerated() {
          let name = plan.tensors[member.index].name
          guard let candidate = candidates[name]?.first(where: { $0.layout.bits == bits }) else {
            continue
          }
          points[place].append(
            .init(
              layout: candidate.layout, relativeError: candidate.relativeError,
              divergence: found * member.share))
        }
      }
      for (place, member) in unit.members.enumerated() {
        tensors[plan.tensors[member.index].name] = points[place]
      }
      context.progress(byteCount / runCount)
    }
    var cache: [String: [MeasuredLoss.Point]] = [:]
    for unit in caches {
      cache[Sensitivity.cacheName(unit.kind, layer: unit.layer)] =
        try Sensitivity.cacheBits.map { try loss(of: unit, bits: $0, states, base, quiet) }
      context.progress(byteCount / runCount)
    }
    return Sensitivity(
      tokenCount: batch.windows.reduce(0) { $0 + $1.count - 1 }, tensors: tensors, cache: cache)
  }

  private var runCount: Int { units.count + caches.count }

  /// Numbers of one layer's states that are in memory.
  private var stateLimit: Int { options.hiddenLimit / (model.description.layers.count + 2) }

  /// What each width loses of each tensor's weights.
  private func candidates(_ context: RunContext) throws -> [String: [Candidate]] {
    var options = CandidateOptions()
    options.bits = Sensitivity.bits
    options.groupSizes = [Sensitivity.groupSize]
    let measured = try CandidateMeasurement(plan, options: options, meanSquares: meanSquares)
      .run(context)
    return Dictionary(
      measured.map { ($0.name, $0.candidates) }, uniquingKeysWith: { first, _ in first })
  }

  /// Mean KL of the model with the unit's tensors quantized.
  private func divergence(
    of unit: Unit, bits: Int, _ states: [HiddenStates], _ base: HeadRun.Side,
    _ context: RunContext
  ) throws -> Double {
    var layouts: [String: AffineLayout] = [:]
    for member in unit.members {
      let tensor = plan.tensors[member.index]
      guard case .quantize(let layout, _) = tensor.action else { continue }
      for part in tensor.tensor.parts {
        layouts[part.name] = AffineLayout(bits: bits, groupSize: layout.groupSize)
      }
    }
    let changed = model.with(
      model.weights.fakeQuantized(layouts, method: .search, meanSquares: meanSquares))
    let pass = try ForwardPass(changed, batch, options: options, context)
    let hidden: HiddenStates
    if let first = unit.firstLayer {
      hidden =
        unit.isEmbedding
        ? try pass.embedded(limit: stateLimit) : try states[first].copy(limit: stateLimit)
      try pass.run(first..<model.description.layers.count, over: hidden)
    } else {
      hidden = states[states.count - 1]
    }
    return try divergence(of: HeadRun.Side(pass: pass, hidden: hidden), from: base, context)
  }

  private func loss(
    of unit: CacheUnit, bits: Int, _ states: [HiddenStates], _ base: HeadRun.Side,
    _ context: RunContext
  ) throws -> MeasuredLoss.Point {
    let quantizer = CacheQuantizer(
      unit.kind == .key ? .keys : .values, of: unit.layer, width: unit.width, bits: bits)
    let pass = try ForwardPass(model, batch, options: options, observer: quantizer, context)
    let hidden = try states[unit.layer].copy(limit: stateLimit)
    try pass.run(unit.layer..<model.description.layers.count, over: hidden)
    let found = try divergence(of: HeadRun.Side(pass: pass, hidden: hidden), from: base, context)
    return .init(bits: bits, relativeError: quantizer.relativeError, divergence: found)
  }

  private func divergence(
    of side: HeadRun.Side, from base: HeadRun.Side, _ context: RunContext
  ) throws -> Double {
    var divergences: [Double] = []
    try HeadRun(sides: [base, side]).forEachBlock(
      .range(0..<batch.count), TokenLosses.predictions(of: batch, firstScored: 1), context
    ) { divergences += $0.divergences }
    // Rounding may leave less than nothing of none.
    return max(0, divergences.reduce(0, +) / Double(max(1, divergences.count)))
  }
}
