import Formats
import Stats

/// Measures a dump: inputs of linear layers, keys and values of the cache.
package struct DumpMeasurement {
  package let dump: TensorDump
  private let options: MeasureOptions
  /// What each tensor of the dump belongs to.
  private let identities: [DumpIdentity]

  /// - Parameter model: the checkpoint that the dump must fit.
  /// - Throws: `DumpError`, the first there is, unless the options say to go on; `.nothing` where
  ///   no tensor is left then.
  init(_ dump: TensorDump, of model: DumpedModel, options: MeasureOptions) throws {
    var dump = dump.keeping { tensor throws(DumpError) in
      try model.check(tensor, from: dump.origin(of: tensor))
    }
    if let problem = dump.problems.first, !options.keepsGoing { throw problem }
    guard !dump.tensors.isEmpty else { throw DumpError.nothing(files: dump.files.map(\.path)) }
    if let filter = options.filter {
      dump = dump.selecting {
        filter.matches($0.name) || filter.matches(model.identify($0.subject).weight)
      }
    }
    self.dump = dump
    self.options = options
    identities = dump.tensors.map { model.identify($0.subject) }
  }

  /// Bytes that will be read: everything twice, first for the range of the values.
  package var byteCount: Int { 2 * dump.tensors.reduce(0) { $0 + $1.byteCount } }

  /// - Parameter take: called with every tensor's figures, in the order of the dump.
  /// - Throws: `FileError`, `DumpError.nonFinite`, `CancellationError`, or what `take` throws.
  package func run(
    _ context: RunContext, take: @escaping (TensorStatistics) throws -> Void
  ) throws {
    // A tensor's one scale, and which of its channels are outliers, must be known before the first
    // value is quantized.
    let ranges = RangePass(dump, outlierRatio: options.outlierRatio)
    try ranges.run(context)
    try FigurePass(self, ranges.found.finished, take: take).run(context)
  }

  /// Looks at the ranges of a dump's tensors.
  private final class RangePass: TensorPass {
    private let dump: TensorDump
    private(set) var found: DumpRanges

    init(_ dump: TensorDump, outlierRatio: Double) {
      self.dump = dump
      found = DumpRanges(dump, outlierRatio: outlierRatio)
    }

    var tensorCount: Int { dump.tensors.count }

    func tiles(of tensor: Int) -> [DumpTile] { DumpTile.tiles(of: dump.tensors[tensor]) }

    func makeSlot() -> MeasureSlot { MeasureSlot() }

    func work(_ tile: DumpTile, of tensor: Int, in slot: MeasureSlot) throws {
      try tile.read(of: dump.tensors[tensor], in: dump, into: slot)
      tile.measureRange(of: dump.tensors[tensor], in: slot)
    }

    func fold(_ tile: DumpTile, of tensor: Int, from slot: MeasureSlot) -> Int {
      found.add(slot, of: tensor)
      return slot.tile.stored[0].count
    }
  }

  /// Measures a dump's tensors, of which the ranges are known.
  private final class FigurePass: TensorPass {
    private let measurement: DumpMeasurement
    private let ranges: [DumpRange]
    private let take: (TensorStatistics) throws -> Void
    private let tables = PatternTables()
    private var current: DumpAccumulator?

    init(
      _ measurement: DumpMeasurement, _ ranges: [DumpRange],
      take: @escaping (TensorStatistics) throws -> Void
    ) {
      self.measurement = measurement
      self.ranges = ranges
      self.take = take
    }

    private var dump: TensorDump { measurement.dump }

    var tensorCount: Int { dump.tensors.count }

    func tiles(of tensor: Int) -> [DumpTile] { DumpTile.tiles(of: dump.tensors[tensor]) }

    func makeSlot() -> MeasureSlot { MeasureSlot() }

    func work(_ tile: DumpTile, of tensor: Int, in slot: MeasureSlot) throws {
      try tile.read(of: dump.tensors[tensor], in: dump, into: slot)
      DumpWorker.measure(
        tile, of: dump.tensors[tensor], tensor, range: ranges[tensor], counting: tables,
        keepsMap: measurement.options.keepsMaps && measurement.identities[tensor].isMapped, in: slot
      )
    }

    func fold(_ tile: DumpTile, of tensor: Int, from slot: MeasureSlot) -> Int {
      if current == nil {
        current = DumpAccumulator(slot, of: dump.tensors[tensor])
      } else {
        current?.merge(slot)
      }
      return slot.tile.stored[0].count
    }

    func finish(_ index: Int) throws {
      guard var accumulator = current else { return }
      current = nil
      tables.hand(index, to: &accumulator.values)
      let tensor = dump.tensors[index]
      let statistics = accumulator.statistics(
        tensor, measurement.identities[index], rotation: dump.rotation(of: tensor),
        options: measurement.options)
      if !statistics.distribution.isFinite, !measurement.options.keepsGoing {
        let origin = dump.origin(of: tensor)
        throw DumpError.nonFinite(
          file: origin.file, tensor: origin.tensor, nan: statistics.distribution.nanCount,
          infinite: statistics.distribution.infinityCount, count: statistics.distribution.count)
      }
      try take(statistics)
    }
  }
}
