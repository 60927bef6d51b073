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
        filter.matches($0.name) || filter.matches(model.identify($0).weight)
      }
    }
    self.dump = dump
    self.options = options
    identities = dump.tensors.map { model.identify($0) }
  }

  /// Bytes that will be read: everything twice, first for the range of the values.
  package var byteCount: Int { 2 * dump.tensors.reduce(0) { $0 + $1.byteCount } }

  /// - Parameters:
  ///   - progress: called with the bytes of every finished tile, from any thread.
  ///   - take: called with every tensor's figures, in the order of the dump.
  /// - Throws: `FileError`, `DumpError.nonFinite`, `CancellationError`, or what `take` throws.
  package func run(
    threads: Int, cancellation: Cancellation, progress: @escaping @Sendable (Int) -> Void,
    take: @escaping (TensorStatistics) throws -> Void
  ) throws {
    let jobs = dump.tensors.indices.flatMap { index in
      DumpTile.tiles(of: dump.tensors[index]).map { (tensor: index, tile: $0) }
    }
    func pipeline(
      _ work: @escaping (Int, DumpTile, MeasureSlot) throws -> Void,
      _ handOn: @escaping (Int, DumpTile, MeasureSlot) throws -> Void
    ) throws {
      let pipeline = OrderedPipeline(
        jobCount: jobs.count, slots: (0..<2 * threads).map { _ in MeasureSlot() },
        work: { index, slot in
          try cancellation.check()
          try jobs[index].tile.read(of: dump.tensors[jobs[index].tensor], in: dump, into: slot)
          try work(jobs[index].tensor, jobs[index].tile, slot)
        },
        handOn: { index, slot in
          try handOn(jobs[index].tensor, jobs[index].tile, slot)
          progress(slot.tile.sourceByteCount)
        })
      try pipeline.run(threads: threads)
      try cancellation.check()
    }

    // A tensor's one scale, and which of its channels are outliers, must be known before the first
    // value is quantized.
    var found = DumpRanges(dump, outlierRatio: options.outlierRatio)
    try pipeline { tensor, tile, slot in
      tile.measureRange(of: dump.tensors[tensor], in: slot)
    } _: { tensor, _, slot in
      found.add(slot, of: tensor)
    }

    let ranges = found.finished
    var current: (index: Int, accumulator: DumpAccumulator)?
    func finish() throws {
      guard let (index, accumulator) = current else { return }
      let statistics = accumulator.statistics(
        dump.tensors[index], identities[index], rotation: dump.rotation(of: dump.tensors[index]),
        options: options)
      if !statistics.distribution.isFinite, !options.keepsGoing {
        let origin = dump.origin(of: dump.tensors[index])
        throw DumpError.nonFinite(
          file: origin.file, tensor: origin.tensor, nan: statistics.distribution.nanCount,
          infinite: statistics.distribution.infinityCount, count: statistics.distribution.count)
      }
      try take(statistics)
    }
    try pipeline { tensor, tile, slot in
      DumpWorker.measure(
        tile, of: dump.tensors[tensor], range: ranges[tensor], in: slot)
    } _: { tensor, _, slot in
      if current?.index != tensor {
        try finish()
        current = (tensor, DumpAccumulator(slot))
      } else {
        current?.accumulator.merge(slot)
      }
    }
    try finish()
  }
}
