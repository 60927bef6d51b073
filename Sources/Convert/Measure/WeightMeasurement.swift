import Formats
import Model
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
      return tensor.tensor.dtype.isFloat && tensor.tensor.dtype.bitCount >= 8
        && tensor.standing != .dropped && tensor.tensor.elementCount > 0
        && options.filter?.matches(tensor.name) ?? true
        && options.roles?.contains(tensor.identity.role) ?? true
    }
  }

  package var isEmpty: Bool { measured.isEmpty }

  /// Bytes that will be read.
  package var byteCount: Int {
    measured.reduce(0) { $0 + plan.tensors[$1].tensor.byteCount }
  }

  /// - Parameters:
  ///   - meanSquares: E[x²] of the inputs by channel, by name of the weight, for the search.
  ///   - places: of weights of which every channel is kept, whatever the options say.
  ///   - take: called with every tensor's figures, in the order of the plan.
  /// - Throws: `FileError`, `ConversionError`, `CancellationError`, or what `take` throws.
  package func run(
    meanSquares: [String: [Float]] = [:], channelsOf places: Set<SmoothedPlace> = [],
    _ context: RunContext,
    take: @escaping (TensorStatistics) throws -> Void
  ) throws {
    try Pass(self, ImportanceSampler(meanSquares: meanSquares), places, take: take).run(context)
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
    let shape = tensor.tensor.dimensions
    guard shape.count > 1 else { return nil }
    let isReordered = if case .quantize = tensor.action { true } else { false }
    let rowsAreInputs = tensor.identity.order == .inputMajor && !isReordered
    // The rows of a stack would be the inputs of every expert, its columns outputs of all of them.
    guard !rowsAreInputs || shape.count == 2 else { return nil }
    let columns = isReordered ? tensor.inputCount : shape[shape.count - 1]
    let rows = tensor.tensor.elementCount / max(1, columns)
    guard columns <= columnLimit, rows <= rowLimit else { return nil }
    return Matrix(rowCount: rows, columnCount: columns, rowsAreInputs: rowsAreInputs)
  }

  private final class Pass: TensorPass {
    private let tensors: [TensorPlan]
    private let sources: [WeightSource]
    private let options: MeasureOptions
    private let importance: ImportanceSampler
    private let places: Set<SmoothedPlace>
    private let take: (TensorStatistics) throws -> Void
    /// What each tensor is read from.
    private let reads: [[ReadPart]]
    private var readDigests = ReadDigests(ofAll: false)
    private let tables = PatternTables()
    private var current: Accumulator?

    init(
      _ measurement: WeightMeasurement, _ importance: ImportanceSampler,
      _ places: Set<SmoothedPlace>, take: @escaping (TensorStatistics) throws -> Void
    ) {
      tensors = measurement.measured.map { measurement.plan.tensors[$0] }
      sources = tensors.map { $0.source(in: measurement.plan.checkpoint, nonFinite: nil) }
      reads = tensors.map { measurement.plan.checkpoint.readParts($0.tensor) }
      options = measurement.options
      self.importance = importance
      self.places = places
      self.take = take
    }

    var tensorCount: Int { tensors.count }

    func tiles(of tensor: Int) -> [Range<Int>] { sources[tensor].tiles() }

    func makeSlot() -> MeasureSlot { MeasureSlot() }

    func work(_ range: Range<Int>, of tensor: Int, in slot: MeasureSlot) throws {
      let source = sources[tensor]
      let patterns = ElementPatterns(source.storage.elementType)
      slot.reset(patterns)
      // Values that are counted in bins are wanted as numbers.
      if patterns == .floats {
        try source.read(range, into: slot.tile)
      } else {
        try source.readElements(range, into: slot.tile)
      }
      slot.readBlocks = ReadDigests.blocks(of: reads[tensor], in: slot.tile, ofAll: false)
      slot.countValues(range.count, of: tensor, in: tables)
      if let matrix = WeightMeasurement.matrix(tensors[tensor]) {
        let first = range.lowerBound / matrix.columnCount
        let last = (range.upperBound - 1) / matrix.columnCount
        slot.channels.reset(rows: first..<last + 1, columnCount: matrix.columnCount)
        slot.countChannels(range)
      }
      guard options.measuresLoss, case .quantize(let layout, let scaleType) = tensors[tensor].action
      else { return }
      let quantizers = MeasureOptions.weightBits.compactMap { bits in
        AffineLayout(bits: bits, groupSize: layout.groupSize).map {
          WeightQuantizer(layout: $0, scaleType: scaleType, method: options.method)
        }
      }
      let importance = try importance.runs(of: range, source, quantizers[0])
      if let fraction = options.sampleFraction(of: source.shape.count) {
        slot.losses = slot.lossMeasurement.ofSample(
          slot.tile, range, fraction: fraction, quantizers, importance: importance)
      } else {
        slot.losses = slot.lossMeasurement.ofAll(
          slot.tile, count: range.count, quantizers, importance: importance)
      }
    }

    func fold(_ range: Range<Int>, of tensor: Int, from slot: MeasureSlot) -> Int {
      if current == nil {
        let plan = tensors[tensor]
        current = Accumulator(plan, matrix: WeightMeasurement.matrix(plan), slot)
      } else {
        current?.merge(slot)
      }
      let stored = slot.tile.stored.prefix(slot.tile.storedCount)
      if sources[tensor].storage.isReadInOrder {
        readDigests.add(slot.tile, blocks: slot.readBlocks, of: reads[tensor])
      }
      return stored.reduce(0) { $0 + $1.count }
    }

    func finish(_ tensor: Int) throws {
      try readDigests.finish(reads[tensor], inOrder: sources[tensor].storage.isReadInOrder)
      guard var found = current else { return }
      let identity = tensors[tensor].identity
      let place = SmoothedPlace(role: identity.role, layer: identity.layer)
      let keepsChannels = options.keepsChannels || place.map(places.contains) ?? false
      current = nil
      tables.hand(tensor, to: &found.values)
      try take(found.statistics(options, keepsChannels: keepsChannels))
    }
  }

  /// What the tiles of one tensor add up to.
  private struct Accumulator {
    let tensor: TensorPlan
    private let matrix: Matrix?
    /// Complete once those that tables counted are added.
    var values: ValueAccumulator
    private var channels = ChannelMagnitudes()
    private var losses: [SampledLoss]

    init(_ tensor: TensorPlan, matrix: Matrix?, _ slot: MeasureSlot) {
      self.tensor = tensor
      self.matrix = matrix
      values = slot.values
      losses = slot.losses
      guard let matrix else { return }
      channels.reset(rows: 0..<matrix.rowCount, columnCount: matrix.columnCount)
      channels.merge(slot.channels)
    }

    mutating func merge(_ slot: MeasureSlot) {
      slot.addValues(to: &values)
      if matrix != nil { channels.merge(slot.channels) }
      for index in losses.indices { losses[index].merge(slot.losses[index]) }
    }

    func statistics(_ options: MeasureOptions, keepsChannels: Bool) -> TensorStatistics {
      let distribution = Distribution(values)
      let rowsAreInputs = matrix?.rowsAreInputs ?? false
      let inputs = rowsAreInputs ? channels.rows : channels.columns
      let outputs = rowsAreInputs ? channels.columns : channels.rows
      return TensorStatistics(
        name: tensor.name, kind: .weight, role: tensor.identity.role, layer: tensor.identity.layer,
        expert: tensor.identity.expert, dtype: tensor.tensor.dtype,
        shape: tensor.tensor.dimensions, distribution: distribution,
        channels: MagnitudeProfile(inputs, outlierRatio: options.outlierRatio),
        outputChannels: MagnitudeProfile(outputs, outlierRatio: options.outlierRatio),
        tokens: nil, headMagnitudes: nil, rotation: nil,
        roundTrips: losses.map {
          $0.roundTrip(
            ofAll: options.sampleFraction(of: tensor.tensor.elementCount) == nil
              ? nil : distribution.moments)
        }, outliers: nil,
        everyChannel: keepsChannels && matrix != nil
          ? ChannelFigures(absMax: inputs, outputAbsMax: outputs) : nil,
        meanSquareSum: nil, map: nil)
    }
  }
}
