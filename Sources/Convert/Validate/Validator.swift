import Formats
import Foundation

/// Checks a packed file or directory: structure, manifest, checksums, shapes, finite parameters and,
/// where the source is at hand, that every tensor decodes with the error that was recorded.
package struct Validator {
  private let path: String

  package init(path: String) { self.path = path }

  /// About the bytes that `run` will report to its `progress`: the sizes of the weight files. Their
  /// headers are not read for it, which would take as long as checking them.
  package static func byteCount(path: String, against source: String?) -> Int {
    [path, source].compactMap(\.self).flatMap { path -> [String] in
      guard FileStatus.isDirectory(path) else { return [path] }
      let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
      return names.filter { $0.hasSuffix(".safetensors") }.map { path + "/" + $0 }
    }.reduce(0) { $0 + ((try? InputFile(path: $1))?.byteCount ?? 0) }
  }

  /// All that is wrong, in the order of files and tensors; empty where all holds.
  package func run(
    against source: String?, adapters: AdapterSet? = nil, _ context: RunContext
  ) throws -> [Finding] {
    try report(against: source, adapters: adapters, context).findings
  }

  /// - Throws: `FileError.missing` where there is nothing under the path, `.changed` where somebody
  ///   writes to it meanwhile, `CancellationError`.
  /// - Parameter adapters: those that were merged into it, to repeat the merge of `source`.
  package func report(
    against source: String?, adapters: AdapterSet? = nil, _ context: RunContext
  ) throws -> ValidationReport {
    guard FileStatus.exists(path) else { throw FileError.missing(path: path) }
    let checkpoint: Checkpoint
    do {
      checkpoint = try Checkpoint(path: path)
    } catch {
      return ValidationReport(findings: [Finding(error, file: path)] + brokenFiles(besides: error))
    }
    if let report = try foreignReport(checkpoint, against: source, adapters, context) {
      return report
    }
    var report = ValidationReport()
    let files = open(checkpoint, findings: &report.findings)
    let data = DataCheck(checkpoint, files.flatMap { $0?.stored ?? [] })
    try data.run(context)
    report.findings += data.findings
    try checkpoint.checkUnchanged()
    // What follows needs entries that fit their tensors.
    let sound = files.compactMap(\.self).filter(\.errors.isEmpty)
    guard sound.count == checkpoint.files.count else { return report }
    report.findings += OutputCheck(checkpoint, sound.map(\.manifest)).errors().map {
      Finding($0)
    }
    let packed = PackedCheckpoint(checkpoint, sound)
    report.findings += PlanCheck(packed: packed).findings()
    do {
      _ = try RestoredTensor.all(of: packed)
    } catch { report.findings.append(Finding(error)) }
    report.findings += try DocumentCheck(packed, context.cancellation)?.findings() ?? []
    report.findings += try CarriedCheck(packed: packed, cancellation: context.cancellation)
      .findings()
    report.findings += try OriginalsCheck(packed: packed, cancellation: context.cancellation)
      .findings()
    if let source {
      try compare(packed, with: source, adapters, into: &report, context)
    }
    try checkpoint.checkUnchanged()
    return report
  }

  /// Of a checkpoint that MLX packed; nil for any other. Nothing is recorded of it: what can be checked
  /// is that packed words, scales and biases fit one another, that these are finite, and how far all
  /// of it is from a source. Without one, that there is no manifest is a finding: it may have been lost.
  private func foreignReport(
    _ checkpoint: Checkpoint, against source: String?, _ adapters: AdapterSet?,
    _ context: RunContext
  ) throws -> ValidationReport? {
    guard !checkpoint.files.contains(where: PackedCheckpoint.isOwn) else { return nil }
    var report = ValidationReport()
    report.isRecorded = false
    do {
      guard let packed = try PackedCheckpoint(ifPacked: checkpoint) else { return nil }
      let data = DataCheck(checkpoint, packed.tensors.flatMap { PackedFile.Stored.parts(of: $0) })
      try data.run(context)
      if source == nil {
        report.findings = checkpoint.files.map { Finding(.noManifest(file: $0.path)) }
      }
      report.findings += data.findings
      // Scales that are not finite have no distance.
      if let source, data.findings.isEmpty {
        guard adapters == nil else { throw PackedError.noManifest(file: path) }
        try compare(packed, with: source, nil, into: &report, context)
      }
    } catch let error as PackedError where error.tensor != nil {
      report.findings.append(Finding(error))
    }
    try checkpoint.checkUnchanged()
    return report
  }

  private func compare(
    _ packed: PackedCheckpoint, with source: String, _ adapters: AdapterSet?,
    into report: inout ValidationReport, _ context: RunContext
  ) throws {
    if let adapters {
      report.findings += try Reconversion(packed, source: source, adapters: adapters)
        .run(context)
    } else if let merged = packed.manifests.compactMap(\.adapters).first {
      report.findings.append(
        Finding(
          file: path, rule: .adapters,
          message: "\(path) has adapters merged into it; to compare it with its source, give them"
            + " with --adapter: " + merged.merged.map(\.name).joined(separator: ", ")))
    } else {
      let comparison = try SourceComparison(packed, source: source).run(context)
      report.findings += comparison.findings
      report.distances = comparison.distances
    }
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

  /// Each file's manifest and what it says of the file's tensors; nil where there is none that can
  /// be used.
  private func open(
    _ checkpoint: Checkpoint, findings: inout [Finding]
  ) -> [PackedFile?] {
    checkpoint.filesWithTensors.map { file, tensors in
      let headerError = PackedFile.headerError(of: file)
      // Without a manifest a header need carry no checksum; a wrong one is wrong in any file.
      if let headerError, case .headerDamaged = headerError {
        findings.append(Finding(headerError))
      }
      do {
        let packed = try PackedFile(file, tensors)
        if let headerError, case .headerUnsealed = headerError {
          findings.append(Finding(headerError))
        }
        findings += packed.errors.map { Finding($0) }
        return packed
      } catch {
        findings.append(Finding(error, file: file.path))
        return nil
      }
    }
  }
}
