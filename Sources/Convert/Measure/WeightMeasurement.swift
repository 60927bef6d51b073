import Formats
import Stats

/// Measures the weights of a checkpoint: every floating-point tensor, each read once.
package struct WeightMeasurement {
  private let plan: ConversionPlan
  private let options: MeasureOptions
  /// Indices into the plan's tensors.
  private let measured: [Int]

  /// Rows and columns that are kept apart; a matrix with more has no channel figures.
  private static let columnLimit = 1 << 20
  private static let rowLimit = 1 << 21

  /// - Parameter plan: says which tensors would be quantized, in groups of which size.
  package init(_ plan: ConversionPlan, options: MeasureOptions) {
    self.plan = plan
    self.options = options
    measured = plan.tensors.indices.filter { index in
      let tensor = plan.tensors[index]
      return tensor.tensor.info.dtype.isFloat && tensor.tensor.info.dtype.bitCount >= 8
        && tensor.standing != .dropped && tensor.tensor.info.elementCount > 0
        && options.filter?.matches(tensor.name) ?? true
        && options.roles?.contains(tensor.identity.role) ?? true
    }
  }

  package var isEmpty: Bool { measured.isEmpty }

  /// Bytes that will be read.
  package var byteCount: Int {
    measured.reduce(0) { $0 + plan.tensors[$1].tensor.info.byteCount }
  }

  /// - Parameters:
  ///   - meanSquares: E[x²] of the inputs by channel, by name of the weight, for the search.
  ///   - progress: called with the source bytes of every finished tile, from any thread.
  ///   - take: called with every tensor's figures, in the order of the plan.
  /// - Throws: `FileError`, `ConversionError`, `CancellationError`, or what `take` throws.
  package func run(
    meanSquares: [String: [Float]] = [:], threads: Int, cancellation: Cancellation,
    progress: @escaping @Sendable (Int) -> Void,
    take: @escaping (TensorStatistics) throws -> Void
  ) throws {
    let jobs = measured.flatMap { index in
      Tiling.contents(plan.tensors[index]).map { Job(tensor: index, content: $0) }
    }
    let worker = Worker(
      plan: plan, options: options,
      reader: TileReader(checkpoint: plan.checkpoint, nonFinite: nil),
      sampler: ImportanceSampler(plan, meanSquares: meanSquares))
    var current: Accumulator?
    let pipeline = OrderedPipeline(
      jobCount: jobs.count, slots: (0..<2 * threads).map { _ in MeasureSlot() },
      work: { index, slot in
        try cancellation.check()
        try worker.perform(jobs[index], in: slot)
      },
      handOn: { index, slot in
        let tensor = plan.tensors[jobs[index].tensor]
        if current?.tensor.name != tensor.name {
          try current.map { try take($0.statistics(options)) }
          current = Accumulator(tensor, matrix: Self.matrix(tensor), slot)
        } else {
          current?.merge(slot)
        }
        progress(slot.tile.sourceByteCount)
      })
    try pipeline.run(threads: threads)
    try cancellation.check()
    try current.map { try take($0.statistics(options)) }
  }

  private struct Job {
    let tensor: Int
    let content: TileJob.Content
  }

  /// A tensor as rows and columns, in the order in which its values are read.
  private struct Matrix {
    let rowCount: Int
    let columnCount: Int
    /// Whether the rows are the inputs: of a matrix stored input-major that is read as it lies.
    let rowsAreInputs: Bool
  }

  /// Nil for vectors, for stacks of input-major matrices that are read as they lie, and for matrices
  /// of which the channels are too many to keep apart.
  private static func matrix(_ tensor: TensorPlan) -> Matrix? {
    let shape = tensor.tensor.info.dimensions
    guard shape.count > 1 else { return nil }
    let isReordered = if case .quantize = tensor.action { true } else { false }
    let rowsAreInputs = tensor.identity.isTransposed && !isReordered
    // The rows of a stack would be the inputs of every expert, its columns outputs of all of them.
    guard !rowsAreInputs || shape.count == 2 else { return nil }
    let columns = isReordered ? tensor.inputCount : shape[shape.count - 1]
    let rows = tensor.tensor.info.elementCount / max(1, columns)
    guard columns <= columnLimit, rows <= rowLimit else { return nil }
    return Matrix(rowCount: rows, columnCount: columns, rowsAreInputs: rowsAreInputs)
  }

  /// Measures one tile.
  private struct Worker {
    let plan: ConversionPlan
    let options: MeasureOptions
    let reader: TileReader
    let sampler: ImportanceSampler

    func perform(_ job: Job, in slot: MeasureSlot) throws {
      let tensor = plan.tensors[job.tensor]
      let dtype = tensor.tensor.info.dtype
      slot.reset(ElementPatterns(dtype, isScaled: tensor.scale != nil))
      slot.roundTrips.removeAll(keepingCapacity: true)
      let elements = try read(job.content, of: tensor, in: slot)
      slot.countValues(elements.count)
      if let matrix = WeightMeasurement.matrix(tensor) {
        let first = elements.lowerBound / matrix.columnCount
        let last = (elements.upperBound - 1) / matrix.columnCount
        slot.channels.reset(rows: first..<last + 1, columnCount: matrix.columnCount)
        slot.channels.add(slot.tile.weights, count: elements.count, start: elements.lowerBound)
      }
      if options.measuresLoss, case .quantize(let layout, let scaleType) = tensor.action {
        let groups =
          elements.lowerBound / layout.groupSize..<elements.upperBound / layout.groupSize
        let importance =
          options.method == .search
          ? try sampler.runs(of: groups, tensor: job.tensor, groupSize: layout.groupSize) : []
        measure(elements.count, layout, scaleType, importance, in: slot)
      }
    }

    /// Reads a tile, and says which elements it holds, in the order of the packed layout.
    private func read(
      _ content: TileJob.Content, of tensor: TensorPlan, in slot: MeasureSlot
    ) throws -> Range<Int> {
      let size = tensor.tensor.info.dtype.bitCount / 8
      switch (content, tensor.action) {
      case (.elements(let elements), _):
        try reader.readRun(elements, of: tensor, into: slot.tile)
        return elements
      case (.groups(let groups), .quantize(let layout, _)):
        let elements = groups.lowerBound * layout.groupSize..<groups.upperBound * layout.groupSize
        try reader.readRun(elements, of: tensor, into: slot.tile)
        return elements
      case (.transposedGroups(let groups), .quantize(let layout, _)):
        let perRow = tensor.inputCount / layout.groupSize
        try reader.readTransposed(
          rows: groups.lowerBound / perRow..<groups.upperBound / perRow, of: tensor,
          into: slot.tile)
        let elements = groups.lowerBound * layout.groupSize..<groups.upperBound * layout.groupSize
        slot.tile.sourceByteCount = elements.count * size
        return elements
      case (.bytes, _), (.groups, _), (.transposedGroups, _):
        preconditionFailure("only quantized tensors are cut into groups, and none into bytes")
      }
    }

    private func measure(
      _ count: Int, _ layout: AffineLayout, _ scaleType: ScaleType,
      _ importance: [ImportanceRun], in slot: MeasureSlot
    ) {
      let groups = count / layout.groupSize
      let tile = slot.tile
      tile.codes.grow(to: count, filler: 0)
      tile.scales.grow(to: groups, filler: 0)
      tile.biases.grow(to: groups, filler: 0)
      for bits in MeasureOptions.weightBits {
        guard let layout = AffineLayout(bits: bits, groupSize: layout.groupSize) else { continue }
        let error = tile.withQuantizer(layout, scaleType, options.method) { quantizer in
          quantizer.quantize(
            tile.weights, groupCount: groups, importance: importance, codes: &tile.codes,
            scales: &tile.scales, biases: &tile.biases)
        }
        slot.roundTrips.append(
          RoundTrip(scheme: .group(size: layout.groupSize), bits: bits, error: error))
      }
    }
  }

  /// What the tiles of one tensor add up to.
  private struct Accumulator {
    let tensor: TensorPlan
    private let matrix: Matrix?
    private var values: ValueAccumulator
    private var channels = ChannelMagnitudes()
    private var roundTrips: [RoundTrip]

    init(_ tensor: TensorPlan, matrix: Matrix?, _ slot: MeasureSlot) {
      self.tensor = tensor
      self.matrix = matrix
      values = slot.values
      roundTrips = slot.roundTrips
      guard let matrix else { return }
      channels.reset(rows: 0..<matrix.rowCount, columnCount: matrix.columnCount)
      channels.merge(slot.channels)
    }

    mutating func merge(_ slot: MeasureSlot) {
      values.merge(slot.values)
      if matrix != nil { channels.merge(slot.channels) }
      for index in roundTrips.indices {
        roundTrips[index].error.merge(slot.roundTrips[index].error)
      }
    }

    func statistics(_ options: MeasureOptions) -> TensorStatistics {
      let rowsAreInputs = matrix?.rowsAreInputs ?? false
      let inputs = rowsAreInputs ? channels.rows : channels.columns
      let outputs = rowsAreInputs ? channels.columns : channels.rows
      return TensorStatistics(
        name: tensor.name, kind: .weight, role: tensor.identity.role, layer: tensor.identity.layer,
        expert: tensor.identity.expert, dtype: tensor.tensor.info.dtype,
        shape: tensor.tensor.info.dimensions, distribution: Distribution(values),
        channels: MagnitudeProfile(inputs, outlierRatio: options.outlierRatio),
        outputChannels: MagnitudeProfile(outputs, outlierRatio: options.outlierRatio),
        tokens: nil, headMagnitudes: nil, rotation: nil, roundTrips: roundTrips, outliers: nil,
        everyChannel: options.keepsChannels && matrix != nil
          ? ChannelFigures(absMax: inputs, outputAbsMax: outputs) : nil)
    }
  }
}
