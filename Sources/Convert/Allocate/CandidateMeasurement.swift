import Formats
import Stats

/// Quantizes every tensor of a plan in every way that may be chosen, and keeps what that loses.
package struct CandidateMeasurement {
  private let plan: ConversionPlan
  private let options: CandidateOptions
  private let meanSquares: [String: [Float]]
  /// Indices into the plan's tensors.
  private let measured: [Int]

  /// - Parameters:
  ///   - plan: says which tensors are quantized, with which type of scales.
  ///   - meanSquares: of the inputs, by name of the weight; none where nothing is known.
  package init(
    _ plan: ConversionPlan, options: CandidateOptions, meanSquares: [String: [Float]] = [:]
  ) {
    self.plan = plan
    self.options = options
    self.meanSquares = meanSquares
    measured = plan.tensors.indices.filter {
      if case .quantize = plan.tensors[$0].action { true } else { false }
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
    var losses: [Int: [[QuantizationError]]] = [:]
    let pipeline = OrderedPipeline(
      jobCount: jobs.count, slots: (0..<2 * threads).map { _ in CandidateSlot() },
      work: { index, slot in
        try cancellation.check()
        try measure(jobs[index], reader, in: slot)
      },
      handOn: { index, slot in
        losses[jobs[index].tensor, default: []].append(slot.errors)
        progress(byteCount(of: jobs[index]))
      })
    try pipeline.run(threads: threads)
    try cancellation.check()
    return measured.map { candidates(of: $0, losses[$0] ?? []) }
  }

  private func measure(_ job: Job, _ reader: TileReader, in slot: CandidateSlot) throws {
    let tensor = plan.tensors[job.tensor]
    guard case .quantize(_, let scaleType) = tensor.action else { return }
    try job.block.read(of: tensor, reader, into: slot.tile)
    let squares = meanSquares[tensor.name]
    slot.errors = options.layouts(inputs: tensor.inputCount).map { layout in
      slot.quantize(
        layout, scaleType, options.method, count: job.block.weightCount, meanSquares: squares,
        firstInput: job.block.firstWeight(of: tensor) % tensor.inputCount)
    }
  }

  private func candidates(of index: Int, _ blocks: [[QuantizationError]]) -> TensorCandidates {
    let tensor = plan.tensors[index]
    let weightCount = tensor.tensor.info.elementCount
    let isSampled = options.sampleSize.map { weightCount > $0 } ?? false
    guard case .quantize(_, let scaleType) = tensor.action else {
      preconditionFailure("only quantized tensors are measured")
    }
    let candidates = options.layouts(inputs: tensor.inputCount).enumerated().map { place, layout in
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

  private func weight(of tensor: TensorPlan) -> Double {
    if tensor.identity.expert != nil {
      let twins = plan.tensors.count {
        $0.identity.layer == tensor.identity.layer && $0.identity.role == tensor.identity.role
      }
      return 1 / Double(twins)
    }
    return Double(max(1, Set((tensor.identity.fusedRows?.pattern ?? []).map(\.part)).count))
  }
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
