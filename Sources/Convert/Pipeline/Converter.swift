import Formats
import Foundation
import Stats

/// Carries out a plan: reads, quantizes and writes every tensor once.
package struct Converter {
  package let plan: ConversionPlan
  package let output: OutputPlan

  /// What a tensor lost, in the order of the plan's tensors; nil where it was not quantized.
  package struct Result: Sendable {
    package let errors: [QuantizationError?]
    /// NaN and infinities of each tensor that were made zero.
    package let zeroedCounts: [Int]
    package let outputByteCount: Int
    /// What storing merged biases lost.
    package let rounding: BiasRounding
  }

  package init(_ plan: ConversionPlan, output: OutputPlan) {
    self.plan = plan
    self.output = output
  }

  /// Writes the output's files into `directory` (an existing one).
  ///
  /// - Parameters:
  ///   - carried: the files that were carried over beside them.
  ///   - threads: threads to use; the bytes written do not depend on it.
  ///   - progress: called with the source bytes of every finished tile, from any thread.
  /// - Throws: `FileError`, `ConversionError`, `CancellationError`.
  package func run(
    into directory: String, carried: [Manifest.SourceFile], threads: Int,
    cancellation: Cancellation, progress: @escaping @Sendable (Int) -> Void
  ) throws -> Result {
    let jobs = Tiling.jobs(plan)
    let worker = TileQuantizer(plan)
    let sink = try ConversionSink(plan, output, directory: directory)
    let pipeline = OrderedPipeline(
      jobCount: jobs.count, slots: (0..<2 * threads).map { _ in TileSlot() },
      work: { index, slot in
        try cancellation.check()
        try worker.perform(jobs[index], in: slot)
      },
      handOn: { index, slot in
        try sink.take(jobs[index], slot)
        if jobs[index].countsForChecksum { progress(slot.sourceByteCount) }
      })
    try pipeline.run(threads: threads)
    try cancellation.check()
    return Result(
      errors: try sink.finish(carried: carried), zeroedCounts: sink.zeroedCounts,
      outputByteCount: output.byteCount,
      rounding: sink.rounding)
  }
}

/// Takes finished tiles in order: writes them, and keeps the checksums and errors that go into the
/// headers at the end.
private final class ConversionSink {
  private let plan: ConversionPlan
  private let output: OutputPlan
  private let files: [OutputFile]
  private var places: [Place?]
  private var errors: [QuantizationError?]
  private(set) var zeroedCounts: [Int]
  private(set) var rounding = BiasRounding()
  private var sourceHashes: [XXH64]

  /// Where a tensor of the plan goes: its file, and for each of its stored tensors the position in
  /// that file and the checksum so far.
  private struct Place {
    let file: Int
    let offsets: [Int]
    var hashes: [XXH64]
  }

  init(_ plan: ConversionPlan, _ output: OutputPlan, directory: String) throws {
    self.plan = plan
    self.output = output
    files = try output.files.map { try OutputFile(creating: directory + "/" + $0.name) }
    places = plan.tensors.map { _ in nil }
    zeroedCounts = plan.tensors.map { _ in 0 }
    errors = plan.tensors.map { tensor in
      if case .quantize = tensor.action { QuantizationError() } else { nil }
    }
    sourceHashes = plan.checkpoint.files.map { file in
      var hash = XXH64()
      hash.update(file.headerBytes)
      return hash
    }
    for (index, file) in output.files.enumerated() {
      let offsets = Dictionary(
        file.layout.tensors.map { ($0.name, file.blankHeader.count + $0.dataRange.lowerBound) },
        uniquingKeysWith: { first, _ in first })
      for tensor in file.tensors {
        let stored = plan.tensors[tensor].stored
        places[tensor] = Place(
          file: index, offsets: stored.map { offsets[$0.name]! },
          hashes: stored.map { _ in XXH64() })
      }
    }
  }

  func take(_ job: TileJob, _ slot: TileSlot) throws {
    if job.countsForChecksum {
      sourceHashes[plan.tensors[job.tensor].tensor.file].update(
        slot.source, 0..<slot.sourceByteCount)
    }
    errors[job.tensor]?.merge(slot.error)
    zeroedCounts[job.tensor] += slot.zeroedCount
    rounding.merge(slot.rounding)
    guard slot.outputCount > 0, let place = places[job.tensor] else { return }
    for index in 0..<slot.outputCount {
      let piece = slot.outputs[index]
      places[job.tensor]!.hashes[index].update(piece.bytes, 0..<piece.byteCount)
      try files[place.file].write(
        piece.bytes, count: piece.byteCount, at: place.offsets[index] + piece.offset)
    }
  }

  /// Writes the headers, now that everything in them is known, and syncs every file.
  func finish(carried: [Manifest.SourceFile]) throws -> [QuantizationError?] {
    var manifests = output.files.map { manifest(of: $0, carried: carried) }
    let together = Manifest.Output.digest(manifests)
    for (index, file) in output.files.enumerated() {
      manifests[index].output?.checksum = together
      var header = file.header(manifests[index])
      HeaderChecksum.seal(&header)
      precondition(header.count == file.blankHeader.count, "a header keeps its planned size")
      try files[index].write(header, count: header.count, at: 0)
      try files[index].synchronize()
    }
    return errors
  }

  /// With what was measured, but for the checksum of all files together.
  private func manifest(
    of file: OutputPlan.File, carried: [Manifest.SourceFile]
  ) -> Manifest {
    var manifest = file.manifest
    manifest.carried = carried
    for index in manifest.sources.indices {
      manifest.sources[index].checksum = sourceHashes[index].value
    }
    let byName = Dictionary(
      file.tensors.map { (plan.tensors[$0].name, $0) }, uniquingKeysWith: { first, _ in first })
    for index in manifest.tensors.indices {
      let tensor = byName[manifest.tensors[index].name]!
      for (position, hash) in places[tensor]!.hashes.enumerated() {
        manifest.tensors[index].stored[position].checksum = hash.value
      }
      if manifest.tensors[index].zeroedCount != nil {
        manifest.tensors[index].zeroedCount = zeroedCounts[tensor]
      }
      manifest.tensors[index].error = errors[tensor].map {
        .init(
          squaredNorm: $0.squaredNorm, squaredError: $0.squaredError,
          largestError: $0.largestError)
      }
    }
    return manifest
  }
}
