import Formats
import Model
import Stats

/// Quantizes every tensor of a plan in every way that may be chosen, and keeps what that loses.
package struct CandidateMeasurement {
  private let plan: ConversionPlan
  private let options: CandidateOptions
  private let meanSquares: [String: [Float]]
  private let sensitivity: Sensitivity?
  /// Indices into the plan's tensors.
  private let measured: [Int]
  private let importance: TensorImportance

  /// - Parameters:
  ///   - plan: says which tensors are quantized, with which type of scales.
  ///   - meanSquares: of the inputs, by name of the weight; where they are not known, the weights
  ///     themselves say what errors count (`ChannelImportance`).
  ///   - sensitivity: what errors in each tensor cost, where it was measured.
  package init(
    _ plan: ConversionPlan, options: CandidateOptions, meanSquares: [String: [Float]] = [:],
    sensitivity: Sensitivity? = nil
  ) {
    self.plan = plan
    self.options = options
    self.meanSquares = meanSquares
    self.sensitivity = sensitivity
    measured = plan.tensors.indices.filter {
      if case .quantize = plan.tensors[$0].action { true } else { false }
    }
    importance = TensorImportance(plan)
  }

  /// Bytes that will be read.
  package var byteCount: Int {
    measured.reduce(0) { total, index in
      WeightSample.blocks(of: source(of: index), limit: options.sampleSize).reduce(total) {
        $0 + byteCount(of: $1, index)
      }
    }
  }

  private func source(of index: Int) -> WeightSource {
    plan.tensors[index].source(in: plan.checkpoint, nonFinite: plan.options.nonFinite)
  }

  private func byteCount(of block: Range<Int>, _ index: Int) -> Int {
    block.count * plan.tensors[index].tensor.dtype.bitCount / 8
  }

  /// - Returns: one entry for each tensor that is quantized, in the plan's order.
  /// - Throws: `FileError`, `ConversionError`, `CancellationError`; `AllocationError.unusableStatistics` where
  ///   there are sensitivities, but none of a tensor.
  package func run(_ context: RunContext) throws -> [TensorCandidates] {
    let pass = Pass(self)
    try pass.run(context)
    try plan.checkpoint.checkUnchanged()
    return try zip(measured, pass.losses).map { try candidates(of: $0, $1) }
  }

  /// Measures blocks, and keeps what each layout loses in them.
  private final class Pass: TensorPass {
    private let measurement: CandidateMeasurement
    private let sources: [WeightSource]
    private let importance: ImportanceSampler
    /// Of each block, by layout.
    private(set) var losses: [[[QuantizationError]]]

    init(_ measurement: CandidateMeasurement) {
      self.measurement = measurement
      sources = measurement.measured.map { measurement.source(of: $0) }
      importance = ImportanceSampler(meanSquares: measurement.meanSquares)
      losses = sources.map { _ in [] }
    }

    var tensorCount: Int { sources.count }

    func tiles(of tensor: Int) -> [Range<Int>] {
      WeightSample.blocks(of: sources[tensor], limit: measurement.options.sampleSize)
    }

    func makeSlot() -> CandidateSlot { CandidateSlot() }

    func work(_ block: Range<Int>, of tensor: Int, in slot: CandidateSlot) throws {
      let plan = measurement.plan.tensors[measurement.measured[tensor]]
      guard case .quantize(_, let scaleType) = plan.action else { return }
      let source = sources[tensor]
      try source.readElements(block, into: slot.tile)
      slot.errors = try measurement.options.layouts(of: plan).map { layout in
        slot.quantize(
          WeightQuantizer(
            layout: layout, scaleType: scaleType, method: measurement.options.method),
          count: block.count,
          importance: try importance.runs(of: block, source, groupSize: layout.groupSize))
      }
    }

    func fold(_ block: Range<Int>, of tensor: Int, from slot: CandidateSlot) -> Int {
      losses[tensor].append(slot.errors)
      return measurement.byteCount(of: block, measurement.measured[tensor])
    }
  }

  private func candidates(
    of index: Int, _ blocks: [[QuantizationError]]
  ) throws(AllocationError) -> TensorCandidates {
    let tensor = plan.tensors[index]
    let weightCount = tensor.tensor.elementCount
    let isSampled = options.sampleSize.map { weightCount > $0 } ?? false
    guard case .quantize(_, let scaleType) = tensor.action else {
      preconditionFailure("only quantized tensors are measured")
    }
    let candidates = options.layouts(of: tensor).enumerated().map { place, layout in
      let sample = SampledRatio(blocks.map { $0[place] })
      return Candidate(
        layout: layout,
        byteCount: weightCount / layout.groupSize
          * AffinePacking(layout, scaleType: scaleType).bytesPerGroup,
        relativeError: sample.ratio, samplingError: isSampled ? sample.relativeDeviation : 0)
    }
    let weight = importance.weight(of: tensor.identity)
    return TensorCandidates(
      name: tensor.name, identity: tensor.identity, shape: tensor.tensor.shape,
      weightCount: weightCount,
      isWeighted: tensor.tensor.parts.contains { meanSquares[$0.name] != nil },
      candidates: candidates, weight: weight,
      cost: try cost(of: tensor, weight: weight))
  }

  private func cost(
    of tensor: TensorPlan, weight: Double
  ) throws(AllocationError) -> ErrorCost {
    guard let sensitivity else { return .share(weight) }
    guard let points = sensitivity.tensors[tensor.name] else {
      throw .unusableStatistics(
        tensor: tensor.name, reason: "the calibration holds no sensitivity of it")
    }
    return .measured(MeasuredLoss(points.map(\.loss)))
  }
}
