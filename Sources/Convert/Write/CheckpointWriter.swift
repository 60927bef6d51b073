import Formats

/// Writes the weight files of an output, each byte once: the one writer.
struct CheckpointWriter {
  let files: [PlannedFile]
  /// In the order in which they are read.
  let producers: [any TensorProducer]

  /// Bytes of all tensors.
  var byteCount: Int { files.reduce(0) { $0 + $1.layout.dataByteCount } }

  /// Writes the files into `directory`, an existing one, and syncs them.
  ///
  /// - Parameters:
  ///   - sources: takes what is read, for the record; progress then counts what is read, else what is
  ///     written.
  ///   - complete: puts what was measured into a file's manifest.
  /// - Throws: what the producers throw; `PackedError.damagedTensor` where what is read is not what was
  ///   recorded; `FileError`, `CancellationError`.
  func run(
    into directory: String, _ context: RunContext, sources: SourceDigests? = nil,
    complete: (inout Manifest, [WritePass.Outcome]) -> Void = { _, _ in }
  ) throws -> [WritePass.Outcome] {
    let outputs = try files.map { try OutputFile(creating: directory + "/" + $0.name) }
    let pass = WritePass(producers, places: places, files: outputs, sources: sources)
    try pass.run(context)
    var manifests = try files.map { file in
      try file.manifest.map { blank in
        var manifest = blank
        manifest.record(
          digests: try digests(
            pass.outcomes, in: file, at: directory + "/" + file.name, context.cancellation))
        complete(&manifest, pass.outcomes)
        return manifest
      }
    }
    let together = Manifest.Output.digest(.blocks, of: manifests.compactMap(\.self))
    for index in files.indices {
      manifests[index]?.output?.digest = together
      let header = files[index].header(manifests[index])
      try outputs[index].write(header, 0..<header.count, at: 0)
      let padding = files[index].layout.padding
      try outputs[index].write(
        [UInt8](repeating: 0, count: padding.count), 0..<padding.count,
        at: header.count + padding.lowerBound)
      try outputs[index].synchronize()
    }
    return pass.outcomes
  }

  private var places: [WritePass.Place?] {
    var places: [WritePass.Place?] = producers.map { _ in nil }
    for (index, file) in files.enumerated() {
      let offsets = Dictionary(
        file.layout.places.map { ($0.name, file.blankHeader.count + $0.range.lowerBound) },
        uniquingKeysWith: { first, _ in first })
      for tensor in file.tensors {
        places[tensor] = .init(
          file: index, offsets: producers[tensor].parts.map { offsets[$0.name]! })
      }
    }
    return places
  }

  /// By the names of the stored tensors. Those that were scattered over the file are read from it.
  private func digests(
    _ outcomes: [WritePass.Outcome], in file: PlannedFile, at path: String,
    _ cancellation: Cancellation
  ) throws -> [String: Digest] {
    var digests: [String: Digest] = [:]
    var scattered = Set<String>()
    for tensor in file.tensors {
      for (part, hasher) in zip(producers[tensor].parts, outcomes[tensor].hashers) {
        digests[part.name] = hasher.digest
        if outcomes[tensor].isScattered { scattered.insert(part.name) }
      }
    }
    guard !scattered.isEmpty else { return digests }
    let written = try InputFile(path: path)
    for (name, range) in file.layout.places where scattered.contains(name) {
      let start = file.blankHeader.count + range.lowerBound
      digests[name] = try written.digest(
        .blocks, of: start..<start + range.count, check: cancellation.check)
    }
    return digests
  }
}
