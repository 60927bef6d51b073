import Formats
import Stats

/// Quantizes every tensor of a plan in every way that may be chosen, and keeps what that loses.
package struct CandidateMeasurement {
  private let plan: ConversionPlan
  private let options: CandidateOptions
  private let meanSquares: [String: [Float]]
  /// Indices into the plan's tensors.
  private let measured: [Int]
  private let layerCount: Int
  /// Whether the output head is a tensor of its own, not the embedding.
  private let hasHead: Bool
  private let expertCounts: [TensorIdentity.LayerRole: Int]

  /// - Parameters:
  ///   - plan: says which tensors are quantized, with which type of scales.
  ///   - meanSquares: of the inputs, by name of the weight; where they are not known, the weights
  ///     themselves say what errors count (`ChannelImportance`).
  package init(
    _ plan: ConversionPlan, options: CandidateOptions, meanSquares: [String: [Float]] = [:]
  ) {
    self.plan = plan
    self.options = options
    self.meanSquares = meanSquares
    measured = plan.tensors.indices.filter {
      if case .quantize = plan.tensors[$0].action { true } else { false }
    }
    let kept = plan.tensors.filter { $0.standing != .dropped }.map(\.identity)
    layerCount = (kept.compactMap(\.layer).max() ?? 0) + 1
    hasHead = kept.contains { $0.role == .outputHead }
    expertCounts = kept.reduce(into: [:]) { counts, identity in
      if identity.expert != nil { counts[identity.layerRole, default: 0] += 1 }
    }
  }

  private struct Job {
    let tensor: Int
    let block: SampleBlock
  }

  /// Bytes that will be read.
  package var byteCount: Int { jobs.reduce(0) { $0 + byteCount(of: $1) } }

  private var jobs: [Job] {
    measured.flatMap { index in
      SampleBlock.blocks(of: plan.tensors[index], limit: options.sampleSize).map {
        Job(tensor: index, block: $0)
      }
    }
  }

  private func byteCount(of job: Job) -> Int {
    job.block.weightCount * plan.tensors[job.tensor].tensor.info.dtype.bitCount / 8
  }

  /// - Parameter progress: called with the source bytes of every finished block, from any thread.
  /// - Returns: one entry for each tensor that is quantized, in the plan's order.
  /// - Throws: `FileError`, `ConversionError`, `CancellationError`.
  package func run(
    threads: Int, cancellation: Cancellation, progress: @escaping @Sendable (Int) -> Void
  ) throws -> [TensorCandidates] {
    let jobs = jobs
    let reader = TileReader(checkpoint: plan.checkpoint, nonFinite: plan.options.nonFinite)
    let sampler = ImportanceSampler(plan, meanSquares: meanSquares)
    var losses: [Int: [[QuantizationError]]] = [:]
    let pipeline = OrderedPipeline(
      jobCount: jobs.count, slots: (0..<2 * threads).map { _ in CandidateSlot() },
      work: { index, slot in
        try cancellation.check()
        try measure(jobs[index], reader, sampler, in: slot)
      },
      handOn: { index, slot in
        losses[jobs[index].tensor, default: []].append(slot.errors)
        progress(byteCount(of: jobs[index]))
      })
    try pipeline.run(threads: threads)
    try cancellation.check()
    try plan.checkpoint.checkUnchanged()
    return measured.map { candidates(of: $0, losses[$0] ?? []) }
  }

  private func measure(
    _ job: Job, _ reader: TileReader, _ sampler: ImportanceSampler, in slot: CandidateSlot
  ) throws {
    let tensor = plan.tensors[job.tensor]
    guard case .quantize(_, let scaleType) = tensor.action else { return }
    try job.block.read(of: tensor, reader, into: slot.tile)
    let first = job.block.firstWeight(of: tensor)
    slot.errors = try options.layouts(of: tensor).map { layout in
      let groups =
        first / layout.groupSize..<(first + job.block.weightCount) / layout.groupSize
      return slot.quantize(
        layout, scaleType, options.method, count: job.block.weightCount,
        importance: try sampler.runs(
          of: groups, tensor: job.tensor, groupSize: layout.groupSize))
    }
  }

  private func candidates(of index: Int, _ blocks: [[QuantizationError]]) -> TensorCandidates {
    let tensor = plan.tensors[index]
    let weightCount = tensor.tensor.info.elementCount
    let isSampled = options.sampleSize.map { weightCount > $0 } ?? false
    guard case .quantize(_, let scaleType) = tensor.action else {
      preconditionFailure("only quantized tensors are measured")
    }
    let candidates = options.layouts(of: tensor).enumerated().map { place, layout in
      let sample = SampledRatio(blocks.map { $0[place] })
      return Candidate(
        layout: layout,
        byteCount: weightCount / layout.groupSize
          * (layout.bytesPerGroup + 2 * scaleType.byteCount),
        relativeError: sample.ratio, samplingError: isSampled ? sample.relativeDeviation : 0)
    }
    return TensorCandidates(
      name: tensor.name, identity: tensor.identity, shape: tensor.tensor.info.shape,
      weightCount: weightCount, isWeighted: meanSquares[tensor.name] != nil,
      candidates: candidates, weight: weight(of: tensor))
  }

  /// What a relative error in the tensor does to the model's output, compared with one in the output
  /// head.
  ///
  /// The head's error is in the logits as it is. A layer writes into the residual stream, the sum
  /// of two branches for each layer, so that the noise of one is diluted by all; the embedding is
  /// where that sum begins, and every layer sees its error. docs/PLAN.md has the measurements that
  /// the numbers are held against; they are rough.
  private func weight(of tensor: TensorPlan) -> Double {
    let identity = tensor.identity
    switch identity.role {
    case .outputHead: return 1
    case .tokenEmbedding: return hasHead ? 0.5 : 1.5
    default: break
    }
    guard identity.layer != nil else { return 1 }
    let branch = 1 / Double(2 * max(1, layerCount))
    if identity.expert != nil {
      // The outputs of a block's experts are averaged.
      return branch / Double(expertCounts[identity.layerRole, default: 1])
    }
    // A fused tensor does the work of several.
    return branch * Double(max(1, Set((identity.fusedRows?.pattern ?? []).map(\.part)).count))
  }
}

extension TensorIdentity {
  struct LayerRole: Hashable {
    let layer: Int?
    let role: TensorRole
  }

  var layerRole: LayerRole { LayerRole(layer: layer, role: role) }
}

/// The ratio of two sums over blocks, and how uncertain it is.
struct SampledRatio {
  let ratio: Double
  /// One standard deviation as a share of the ratio, from the spread of the blocks' own ratios
  /// (Cochran, Sampling Techniques, 1977, eq. 6.13 without the correction for a finite population).
  let relativeDeviation: Double

  init(_ blocks: [QuantizationError]) {
    let error = blocks.reduce(0) { $0 + $1.squaredError }
    let norm = blocks.reduce(0) { $0 + $1.squaredNorm }
    ratio = norm > 0 ? error / norm : 0
    guard blocks.count > 1, ratio > 0 else {
      relativeDeviation = 0
      return
    }
    let ratio = ratio
    let count = Double(blocks.count)
    let spread = blocks.reduce(0) { total, block in
      let residual = block.squaredError - ratio * block.squaredNorm
      return total + residual * residual
    }
    relativeDeviation = (spread / (count * (count - 1))).squareRoot() / (norm / count) / ratio
  }
}
