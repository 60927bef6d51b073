import Formats
import Foundation

/// Decodes a packed checkpoint to an ordinary one, of the shapes and names of its source.
package struct Unpacker {
  private let packed: PackedCheckpoint
  private let files: [File]
  private let target: OutputTarget
  private let carried: CarriedFiles?
  private let jobs: [Job]

  private struct File {
    let name: String
    let layout: SafetensorsLayout
    let header: [UInt8]
  }

  /// A run of one tensor, and where its elements go.
  private struct Job {
    let tensor: Int
    let file: Int
    /// Position in the file of the tensor's first byte.
    let base: Int
    let range: Range<Int>
  }

  /// - Parameter type: of the decoded weights; nil for the type in which each was packed. Tensors
  ///   that were kept stay as they are.
  package init(
    _ packed: PackedCheckpoint, target: OutputTarget, type: ScaleType?, shardLimit: Int
  ) throws {
    self.packed = packed
    self.target = target
    let requests = packed.tensors.map { tensor in
      SafetensorsLayout.Request(
        name: tensor.entry.name, dtype: Self.outputType(of: tensor, type).dtype,
        shape: tensor.entry.sourceShape)
    }
    let shards = Sharding.split(
      Array(requests.indices), sizes: { SafetensorsLayout([requests[$0]]).dataByteCount },
      limit: target.isDirectory ? shardLimit : Int.max)
    files = shards.enumerated().map { position, indexes in
      let layout = SafetensorsLayout(indexes.map { requests[$0] })
      return File(
        name: target.singleFileName ?? Sharding.fileName(position, of: shards.count),
        layout: layout,
        header: layout.header(metadata: [("decant.unpacked_by", decantVersion), ("format", "pt")]))
    }
    carried = target.isDirectory ? try CarriedFiles(beside: packed.checkpoint) : nil
    jobs = Self.jobs(packed, shards: shards, files: files)
  }

  private static func outputType(
    of tensor: PackedCheckpoint.Tensor, _ type: ScaleType?
  ) -> (dtype: DType, scaleType: ScaleType) {
    guard case .affine = tensor.entry.encoding else {
      return (tensor.stored[0].info.dtype, .f32)
    }
    let scaleType = type ?? PackedTileReader.decodedType(tensor)
    return (scaleType.dtype, scaleType)
  }

  private static func jobs(
    _ packed: PackedCheckpoint, shards: [[Int]], files: [File]
  ) -> [Job] {
    var jobs: [Job] = []
    for (fileIndex, indexes) in shards.enumerated() {
      let file = files[fileIndex]
      let places = Dictionary(
        file.layout.tensors.map { ($0.name, file.header.count + $0.dataRange.lowerBound) },
        uniquingKeysWith: { first, _ in first })
      for index in indexes {
        let tensor = packed.tensors[index]
        jobs += tiles(tensor).map {
          Job(tensor: index, file: fileIndex, base: places[tensor.entry.name]!, range: $0)
        }
      }
    }
    return jobs
  }

  /// Runs of bytes of a raw tensor, of groups of a packed one; of whole rows of groups where they
  /// go back to input-major order.
  private static func tiles(_ tensor: PackedCheckpoint.Tensor) -> [Range<Int>] {
    guard case .affine(let layout, _) = tensor.entry.encoding else {
      return Tiling.ranges(tensor.stored[0].info.byteCount, step: 1 << 20)
    }
    let scales = tensor.stored[1].info
    guard tensor.entry.isTransposed else {
      return Tiling.ranges(scales.elementCount, step: Tiling.weightCount / layout.groupSize)
    }
    let perRow = scales.dimensions[scales.dimensions.count - 1]
    let matrixRows = scales.dimensions[scales.dimensions.count - 2]
    guard perRow > 0 else { return [] }
    return Tiling.rowTiles(
      scales.elementCount / perRow, matrixRows: matrixRows, inputs: perRow * layout.groupSize
    ).map { $0.lowerBound * perRow..<$0.upperBound * perRow }
  }

  /// Writes the checkpoint under a temporary name, syncs it, and gives it its own.
  package func run(
    replacing: Bool, type: ScaleType?, threads: Int, cancellation: Cancellation,
    progress: @escaping @Sendable (Int) -> Void
  ) throws {
    let result = StagedResult(
      target: target, documents: try documents(type: type), carried: carried,
      recorded: packed.carried, inputs: packed.checkpoint.inputs)
    try result.check(
      source: packed.checkpoint, replacing: replacing, weights: files.map(\.name))
    try result.write(replacing: replacing, cancellation: cancellation) { directory, _ in
      try write(
        into: directory, type: type, threads: threads, cancellation: cancellation,
        progress: progress)
    }
  }

  private func write(
    into directory: String, type: ScaleType?, threads: Int, cancellation: Cancellation,
    progress: @escaping @Sendable (Int) -> Void
  ) throws {
    let outputs = try files.map { try OutputFile(creating: directory + "/" + $0.name) }
    for (file, output) in zip(files, outputs) {
      try output.write(file.header, count: file.header.count, at: 0)
    }
    let reader = PackedTileReader(checkpoint: packed.checkpoint)
    var hashes = packed.tensors.map { $0.stored.map { _ in XXH64() } }
    let pipeline = OrderedPipeline(
      jobCount: jobs.count, slots: (0..<2 * threads).map { _ in TileSlot() },
      work: { index, slot in
        try cancellation.check()
        try decode(jobs[index], with: reader, type: type, in: slot)
      },
      handOn: { index, slot in
        // The tiles of a tensor come in the order of its stored bytes, transposed or not.
        for (position, piece) in slot.outputs.prefix(slot.outputCount).enumerated() {
          hashes[jobs[index].tensor][position].update(piece.bytes, 0..<piece.byteCount)
        }
        try write(jobs[index], slot, to: outputs)
        progress(slot.sourceByteCount)
      })
    try pipeline.run(threads: threads)
    try check(hashes)
    for output in outputs { try output.synchronize() }
  }

  /// What was unpacked must be what was packed: damage is not passed on.
  private func check(_ hashes: [[XXH64]]) throws(PackedError) {
    for (tensor, hashes) in zip(packed.tensors, hashes) {
      for (position, recorded) in tensor.entry.stored.enumerated()
      where hashes[position].value != recorded.checksum {
        throw .damagedTensor(
          file: packed.checkpoint.files[tensor.stored[position].file].path, tensor: recorded.name,
          found: hashes[position].value, recorded: recorded.checksum)
      }
    }
  }

  /// Bytes of the decoded tensors.
  package var byteCount: Int { files.reduce(0) { $0 + $1.layout.dataByteCount } }

  /// Leaves the stored bytes in `slot.outputs`, and what becomes of an affine tensor in
  /// `slot.source`.
  private func decode(
    _ job: Job, with reader: PackedTileReader, type: ScaleType?, in slot: TileSlot
  ) throws {
    let tensor = packed.tensors[job.tensor]
    guard case .affine(let layout, _) = tensor.entry.encoding else {
      slot.sourceByteCount = job.range.count
      return try reader.readRaw(job.range, of: tensor, into: slot)
    }
    let output = Self.outputType(of: tensor, type).scaleType
    try reader.read(job.range, of: tensor, layout: layout, into: slot)
    let count = job.range.count * layout.groupSize
    if let bad = ElementEncoder.firstOverflow(slot.transposed, count: count, as: output) {
      throw ConversionError.overflow(
        file: packed.checkpoint.fileName(of: tensor.stored[0]), tensor: tensor.entry.name,
        index: Self.sourceIndex(job.range.lowerBound * layout.groupSize + bad, of: tensor.entry),
        value: slot.transposed[bad], type: output, option: "--dtype")
    }
    slot.sourceByteCount = count * output.byteCount
    slot.source.grow(to: slot.sourceByteCount, filler: 0)
    ElementEncoder.encode(slot.transposed, count: count, as: output, into: &slot.source)
  }

  /// Where element `index` of the layout stands in the source's tensor.
  private static func sourceIndex(_ index: Int, of entry: Manifest.Entry) -> Int {
    guard entry.isTransposed else { return index }
    let shape = entry.sourceShape.map { Int(clamping: $0) }
    let (inputs, outputs) = (shape[shape.count - 2], shape[shape.count - 1])
    let (row, input) = index.quotientAndRemainder(dividingBy: inputs)
    return (row / outputs * inputs + input) * outputs + row % outputs
  }

  private func write(_ job: Job, _ slot: TileSlot, to outputs: [OutputFile]) throws {
    let tensor = packed.tensors[job.tensor]
    let file = outputs[job.file]
    guard case .affine(let layout, _) = tensor.entry.encoding else {
      let piece = slot.outputs[0]
      return try file.write(
        piece.bytes, count: piece.byteCount, at: job.base + job.range.lowerBound)
    }
    let size = slot.sourceByteCount / (job.range.count * layout.groupSize)
    let start = job.range.lowerBound * layout.groupSize
    guard tensor.entry.isTransposed else {
      return try file.write(
        slot.source, count: slot.sourceByteCount, at: job.base + start * size)
    }
    // A row of the layout is a column of the source's matrix: for each input the tile's rows lie
    // side by side there.
    let shape = tensor.entry.sourceShape.map { Int(clamping: $0) }
    let (inputs, outputCount) = (shape[shape.count - 2], shape[shape.count - 1])
    let (matrix, firstRow) = (start / inputs).quotientAndRemainder(dividingBy: outputCount)
    let rows = job.range.count * layout.groupSize / inputs
    var run = [UInt8](repeating: 0, count: rows * size)
    for input in 0..<inputs {
      for row in 0..<rows {
        for byte in 0..<size {
          run[row * size + byte] = slot.source[(row * inputs + input) * size + byte]
        }
      }
      let position = (matrix * inputs + input) * outputCount + firstRow
      try file.write(run, count: run.count, at: job.base + position * size)
    }
  }

  /// Configuration without the quantization, and the index where there are several files.
  private func documents(type: ScaleType?) throws -> [OutputDocument] {
    guard target.isDirectory else { return [] }
    var documents: [OutputDocument] = []
    if var document = packed.checkpoint.config?.document {
      document["quantization"] = nil
      document["quantization_config"] = nil
      documents.append(OutputDocument(OutputDocument.config, document))
    }
    if files.count > 1 {
      let index = ShardIndexDocument.make(files.map { ($0.name, $0.layout) })
      documents.append(OutputDocument(OutputDocument.index, index))
    }
    return documents
  }
}
