import Formats

/// Whether what a merged directory keeps for an undo is what its manifests name. The file may be
/// deleted, as the weights do not need it; damaged it must not be.
struct OriginalsCheck {
  let packed: PackedCheckpoint
  let cancellation: Cancellation

  func findings() throws -> [Finding] {
    let recorded = packed.manifests.compactMap { $0.adapters?.originals }.flatMap(\.self)
    guard !recorded.isEmpty, let directory = packed.checkpoint.directory else { return [] }
    let path = directory + "/" + Manifest.Adapters.originalsFile
    guard FileStatus.exists(path) else { return [] }
    func finding(_ tensor: String?, _ text: String) -> Finding {
      Finding(file: path, tensor: tensor, rule: .originals, message: "\(path): \(text)")
    }
    let file: SafetensorsFile
    do {
      file = try SourceTriage.open(path)
    } catch let error as any DescribedError {
      return [finding(nil, "the values from before the merge cannot be read: \(error.message)")]
    }
    var findings: [Finding] = []
    if HeaderChecksum.isIntact(file.headerBytes) != true {
      findings.append(finding(nil, "the header does not have the checksum that it should carry"))
    }
    let tensors = Dictionary(
      file.header.tensors.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    for stored in recorded {
      guard let tensor = tensors[stored.name] else {
        findings.append(finding(stored.name, "tensor '\(stored.name)' is missing"))
        continue
      }
      let found = try file.digest(
        stored.digest.rule, of: tensor, check: cancellation.check)
      if found != stored.digest {
        findings.append(
          finding(
            stored.name,
            "tensor '\(stored.name)' has checksum \(found.hexDigits);"
              + " the manifest says \(stored.digest.hexDigits)"))
      }
    }
    return findings
  }
}
