import Formats

/// Whether the source's files are the ones that the manifests name.
struct SourceFileCheck {
  private let packed: PackedCheckpoint
  private let source: Checkpoint
  private let digests: SourceDigests

  /// - Parameter digests: of those stored tensors of the source that are digested already.
  init(_ packed: PackedCheckpoint, _ source: Checkpoint, _ digests: SourceDigests) {
    self.packed = packed
    self.source = source
    self.digests = digests
  }

  /// - Throws: `FileError`; `.changed` where somebody writes to the source meanwhile.
  func findings(_ context: RunContext) throws -> [Finding] {
    guard packed.isRecorded else {
      try source.checkUnchanged()
      return []
    }
    let recorded = Dictionary(
      (packed.manifests.first?.sources ?? []).map { ($0.name, $0) },
      uniquingKeysWith: { first, _ in first })
    var findings: [Finding] = []
    for (name, file) in zip(source.fileNames, source.files) {
      func finding(_ text: String) -> Finding {
        Finding(file: file.path, rule: .source, message: "\(file.path) is not \(text)")
      }
      guard let expected = recorded[name] else {
        findings.append(finding("among the files that the manifest names"))
        continue
      }
      let found = try digest(of: file, expected.digest.rule, context)
      if found != expected.digest || file.input.byteCount != expected.byteCount {
        findings.append(
          finding(
            "the file that was converted: its checksum is \(found.hexDigits), the manifest says"
              + " \(expected.digest.hexDigits)"))
      }
    }
    try source.checkUnchanged()
    return findings
  }

  private func digest(
    of file: SafetensorsFile, _ rule: Digest.Rule, _ context: RunContext
  ) throws -> Digest {
    guard rule == .blocks else {
      return try file.input.digest(rule, check: context.cancellation.check)
    }
    // What is read here was counted when it was compared.
    return try SourceDigestPass.digest(
      of: file, digests,
      RunContext(threads: context.threads, cancellation: context.cancellation))
  }
}
