import Formats
import Foundation
import Synchronization

/// Checks a packed file or directory: structure, manifest, checksums, shapes, finite parameters and,
/// where the source is at hand, that every tensor decodes with the error that was recorded.
package struct Validator {
  private let path: String
  private let threads: Int
  private let cancellation: Cancellation

  package init(path: String, threads: Int, cancellation: Cancellation) {
    self.path = path
    self.threads = threads
    self.cancellation = cancellation
  }

  /// Bytes that `run` will report to its `progress`; 0 where the files cannot be opened.
  package static func byteCount(path: String, against source: String?) -> Int {
    [path, source].compactMap(\.self).reduce(0) { total, path in
      let tensors = (try? Checkpoint(path: path))?.tensors ?? []
      return tensors.reduce(total) { $0 + $1.info.byteCount }
    }
  }

  /// All that is wrong, in the order of files and tensors; empty where all holds.
  ///
  /// - Throws: `FileError.missing` where there is nothing under the path, `.changed` where somebody
  ///   writes to it meanwhile, `CancellationError`.
  /// - Parameter adapters: those that were merged into it, to repeat the merge of `source`.
  package func run(
    against source: String?, adapters: AdapterSet? = nil,
    progress: @escaping @Sendable (Int) -> Void
  ) throws -> [Finding] {
    guard FileStatus.exists(path) else { throw FileError.missing(path: path) }
    let checkpoint: Checkpoint
    do {
      checkpoint = try Checkpoint(path: path)
    } catch {
      return [Finding(error, file: path)] + brokenFiles(besides: error)
    }
    var findings: [Finding] = []
    for index in checkpoint.files.indices {
      findings += structure(of: index, in: checkpoint)
    }
    findings += try checkData(checkpoint, progress: progress)
    try checkpoint.checkUnchanged()
    // The comparisons below need entries that fit their tensors.
    guard let packed = try? PackedCheckpoint(checkpoint) else { return findings }
    findings += configFindings(packed)
    findings += try OriginalsCheck(packed: packed, cancellation: cancellation).findings()
    if let source, let adapters {
      findings += try Reconversion(
        packed, source: source, adapters: adapters, threads: threads, cancellation: cancellation
      ).run(progress: progress)
    } else if source != nil, let merged = packed.manifests.compactMap(\.adapters).first {
      findings.append(
        Finding(
          file: path, rule: "adapters",
          message: "\(path) has adapters merged into it; to compare it with its source, give them"
            + " with --adapter: " + merged.merged.map(\.name).joined(separator: ", ")))
    } else if let source {
      findings += try SourceComparison(
        packed, source: source, threads: threads, cancellation: cancellation
      ).run(progress: progress)
    }
    try checkpoint.checkUnchanged()
    return findings
  }

  /// Where the checkpoint as a whole does not open, the files that break a rule of their own.
  private func brokenFiles(besides first: any Error) -> [Finding] {
    guard FileStatus.isDirectory(path) else { return [] }
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
    return names.filter { $0.hasSuffix(".safetensors") }.compactMap { name in
      let file = path + "/" + name
      do {
        _ = try SourceTriage.open(file)
        return nil
      } catch {
        let finding = Finding(error, file: file)
        return finding.message == Finding(first, file: file).message ? nil : finding
      }
    }
  }

  private func structure(of index: Int, in checkpoint: Checkpoint) -> [Finding] {
    let file = checkpoint.files[index]
    var findings: [Finding] = []
    if HeaderChecksum.isIntact(file.headerBytes) == false {
      findings.append(
        Finding(
          file: file.path, rule: "header_checksum",
          message: "\(file.path): the header does not have the checksum that it carries"))
    }
    do {
      let manifest = try PackedCheckpoint.manifest(of: file)
      if HeaderChecksum.isIntact(file.headerBytes) == nil {
        findings.append(
          Finding(
            file: file.path, rule: "header_checksum",
            message: "\(file.path): the header carries no checksum"))
      }
      var unnamed = Dictionary(
        checkpoint.tensors(ofFile: index).map { ($0.name, $0) },
        uniquingKeysWith: { first, _ in first })
      for entry in manifest.tensors {
        do {
          _ = try PackedCheckpoint.storedTensors(of: entry, in: unnamed, file: file.path)
        } catch {
          findings.append(Finding(error, file: file.path))
        }
        for stored in entry.stored { unnamed[stored.name] = nil }
      }
      findings += unnamed.keys.sorted().map { name in
        Finding(
          file: file.path, tensor: name, rule: "tensor_unnamed",
          message: "\(file.path): the manifest does not name tensor '\(name)'")
      }
    } catch {
      findings.append(Finding(error, file: file.path))
    }
    return findings
  }

  /// Reads every stored tensor once: its checksum, and for scales and biases whether all values
  /// are finite.
  private func checkData(
    _ checkpoint: Checkpoint, progress: @escaping @Sendable (Int) -> Void
  ) throws -> [Finding] {
    struct Check {
      let tensor: Checkpoint.Tensor
      let checksum: UInt64
      let isParameter: Bool
    }
    var checks: [Check] = []
    for (index, file) in checkpoint.files.enumerated() {
      guard let manifest = try? PackedCheckpoint.manifest(of: file) else { continue }
      let tensors = Dictionary(
        checkpoint.tensors(ofFile: index).map { ($0.name, $0) },
        uniquingKeysWith: { first, _ in first })
      for entry in manifest.tensors {
        for (position, stored) in entry.stored.enumerated() {
          guard let tensor = tensors[stored.name] else { continue }
          checks.append(
            Check(
              tensor: tensor, checksum: stored.checksum,
              isParameter: entry.stored.count == 3 && position > 0))
        }
      }
    }
    let results = Mutex<[Int: [Finding]]>([:])
    let pipeline = OrderedPipeline(
      jobCount: checks.count, slots: (0..<threads).map { _ in TileSlot() },
      work: { [cancellation] index, slot in
        let check = checks[index]
        let findings = try Self.check(
          check.tensor, in: checkpoint, checksum: check.checksum,
          isParameter: check.isParameter, cancellation: cancellation, slot: slot,
          progress: progress)
        if !findings.isEmpty { results.withLock { $0[index] = findings } }
      }, handOn: { _, _ in })
    try pipeline.run(threads: threads)
    return results.withLock { results in
      results.sorted { $0.key < $1.key }.flatMap(\.value)
    }
  }

  private static func check(
    _ tensor: Checkpoint.Tensor, in checkpoint: Checkpoint, checksum: UInt64, isParameter: Bool,
    cancellation: Cancellation, slot: TileSlot, progress: (Int) -> Void
  ) throws -> [Finding] {
    let file = checkpoint.files[tensor.file].path
    let step = 1 << 20
    slot.source.grow(to: min(step, tensor.info.byteCount), filler: 0)
    var hash = XXH64()
    var badIndex: Int?
    for start in stride(from: 0, to: tensor.info.byteCount, by: step) {
      try cancellation.check()
      let range = start..<min(start + step, tensor.info.byteCount)
      do {
        try checkpoint.read(range, of: tensor, into: &slot.source)
      } catch {
        return [Finding(error, file: file)]
      }
      hash.update(slot.source, 0..<range.count)
      progress(range.count)
      guard isParameter, badIndex == nil else { continue }
      let size = tensor.info.dtype.bitCount / 8
      slot.scales.grow(to: range.count / size, filler: 0)
      guard
        ElementDecoder.decode(
          slot.source, count: range.count / size, as: tensor.info.dtype, into: &slot.scales)
      else { continue }
      badIndex = (0..<range.count / size).first { !slot.scales[$0].isFinite }.map {
        $0 + start / size
      }
    }
    var findings: [Finding] = []
    if hash.value != checksum {
      findings.append(
        Finding(
          file: file, tensor: tensor.name, rule: "checksum",
          message: "\(file): tensor '\(tensor.name)' has checksum \(hash.value.hexDigits);"
            + " the manifest says \(checksum.hexDigits)"))
    }
    if let badIndex {
      findings.append(
        Finding(
          file: file, tensor: tensor.name, rule: "not_finite",
          message: "\(file): tensor '\(tensor.name)' holds NaN or infinity at index \(badIndex)"))
    }
    return findings
  }

  /// What a runtime reads from `config.json` must be what the manifests say.
  private func configFindings(_ packed: PackedCheckpoint) -> [Finding] {
    guard packed.checkpoint.directory != nil, let config = packed.checkpoint.config else {
      return []
    }
    let file = packed.checkpoint.configPath ?? path
    let block = config.document["quantization"]
    // By name once: every layer may have an entry.
    let entries = block?.membersByName ?? [:]
    return packed.tensors.compactMap { tensor in
      guard case .affine(let layout, _) = tensor.entry.encoding else { return nil }
      let module = Manifest.Entry.modulePath(of: tensor.entry.name)
      let entry = entries[module]?.members == nil ? block : entries[module]
      guard entry?["bits"]?.intValue == layout.bits,
        entry?["group_size"]?.intValue == layout.groupSize
      else {
        return Finding(
          file: file, tensor: tensor.entry.name, rule: "config",
          message: "\(file): 'quantization' does not give \(layout.bits) bits in groups of"
            + " \(layout.groupSize) for '\(module)', as the manifest does")
      }
      return nil
    }
  }
}
