import Formats

/// A file to be written from stored tensors that come from elsewhere.
struct RewrittenFile {
  struct Tensor {
    let name: String
    let shape: [UInt64]
    let content: any StoredContent
  }

  let name: String
  let tensors: [Tensor]
  /// With nothing measured yet; nil for the file that keeps what a merge changes.
  let manifest: Manifest?

  /// `manifest` is the file's own, measured or not: the length is the same.
  func metadata(_ manifest: Manifest?) -> [(name: String, value: String)] {
    guard let manifest else {
      return [
        (Manifest.headerChecksumKey, HeaderChecksum.placeholder),
        ("decant.unmerged_by", decantVersion),
      ]
    }
    return manifest.metadata
  }
}

/// Writes such files, several tiles at a time and each file's bytes once.
struct PackedWriter {
  private let files: [RewrittenFile]
  private let layouts: [SafetensorsLayout]
  private let blankHeaders: [[UInt8]]
  private let jobs: [Job]

  private struct Job {
    let file: Int
    let tensor: Int
    let range: Range<Int>
  }

  init(_ files: [RewrittenFile]) {
    self.files = files
    layouts = files.map { file in
      SafetensorsLayout(
        file.tensors.map { .init(name: $0.name, dtype: $0.content.dtype, shape: $0.shape) })
    }
    blankHeaders = zip(files, layouts).map { file, layout in
      layout.header(metadata: file.metadata(file.manifest))
    }
    jobs = files.enumerated().flatMap { index, file in
      file.tensors.enumerated().flatMap { position, tensor in
        Tiling.ranges(tensor.content.unitCount, step: tensor.content.tileUnits).map {
          Job(file: index, tensor: position, range: $0)
        }
      }
    }
  }

  /// Bytes of all tensors.
  var byteCount: Int { layouts.reduce(0) { $0 + $1.dataByteCount } }

  /// The index of the files `names`.
  func index(of names: [String]) -> JSONValue {
    ShardIndexDocument.make(
      zip(files, layouts).map { ($0.name, $1) }.filter { names.contains($0.0) })
  }

  /// Writes the files into `directory` and syncs them.
  ///
  /// - Parameter carried: the files that were carried over beside them.
  /// - Returns: what rounding lost, for the tensors whose biases were merged.
  /// - Throws: `PackedError.damagedTensor` where a copied tensor is not the one that was recorded;
  ///   what the contents throw; `FileError`, `CancellationError`.
  func run(
    into directory: String, carried: [Manifest.SourceFile], threads: Int,
    cancellation: Cancellation, progress: @escaping @Sendable (Int) -> Void
  ) throws -> [(tensor: String, rounding: BiasRounding)] {
    let outputs = try files.map { try OutputFile(creating: directory + "/" + $0.name) }
    let places = zip(layouts, blankHeaders).map { layout, header in
      Dictionary(
        layout.tensors.map { ($0.name, header.count + $0.dataRange.lowerBound) },
        uniquingKeysWith: { first, _ in first })
    }
    var roundings: [(tensor: String, rounding: BiasRounding)] = []
    var hashes = files.map { $0.tensors.map { _ in XXH64() } }
    let pipeline = OrderedPipeline(
      jobCount: jobs.count, slots: (0..<2 * threads).map { _ in RewriteSlot() },
      work: { index, slot in
        try cancellation.check()
        slot.rounding = BiasRounding()
        let job = jobs[index]
        try files[job.file].tensors[job.tensor].content.produce(job.range, in: slot)
      },
      handOn: { index, slot in
        let job = jobs[index]
        let tensor = files[job.file].tensors[job.tensor]
        let unit = tensor.content.bytesPerUnit
        let count = job.range.count * unit
        hashes[job.file][job.tensor].update(slot.output, 0..<count)
        try outputs[job.file].write(
          slot.output, count: count,
          at: places[job.file][tensor.name]! + job.range.lowerBound * unit)
        if slot.rounding.count > 0 {
          if roundings.last?.tensor != tensor.name {
            roundings.append((tensor.name, BiasRounding()))
          }
          roundings[roundings.count - 1].rounding.merge(slot.rounding)
        }
        progress(count)
      })
    try pipeline.run(threads: threads)
    let checksums = try zip(files, hashes).map { try Self.checksums(of: $0, $1) }
    var manifests = zip(files, checksums).map { file, checksums in
      file.manifest.map { $0.recording(checksums, carried: carried) }
    }
    let together = Manifest.Output.digest(manifests.compactMap(\.self))
    for index in files.indices {
      manifests[index]?.output?.checksum = together
      var header = layouts[index].header(metadata: files[index].metadata(manifests[index]))
      precondition(header.count == blankHeaders[index].count, "a header keeps its planned size")
      HeaderChecksum.seal(&header)
      try outputs[index].write(header, count: header.count, at: 0)
      try outputs[index].synchronize()
    }
    return roundings
  }

  /// By name; a copy must have the checksum that was recorded of the original.
  private static func checksums(
    of file: RewrittenFile, _ hashes: [XXH64]
  ) throws(PackedError) -> [String: UInt64] {
    var checksums: [String: UInt64] = [:]
    for (tensor, hash) in zip(file.tensors, hashes) {
      if let expected = tensor.content.expected, expected.checksum != hash.value {
        throw .damagedTensor(
          file: expected.file, tensor: tensor.name, found: hash.value,
          recorded: expected.checksum)
      }
      checksums[tensor.name] = hash.value
    }
    return checksums
  }
}
