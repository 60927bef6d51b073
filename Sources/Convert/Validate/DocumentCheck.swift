import Formats
import Model

/// Whether the documents that decant made beside the weights are there, and say what the manifests
/// say: the block of `config.json` that runtimes read, and the index.
struct DocumentCheck {
  private let packed: PackedCheckpoint
  private let directory: String

  /// Nil for a single file, which has no documents.
  init?(_ packed: PackedCheckpoint) {
    guard let directory = packed.checkpoint.directory else { return nil }
    self.packed = packed
    self.directory = directory
  }

  func findings() -> [Finding] {
    missingFindings() + configFindings() + indexFindings()
  }

  private func missingFindings() -> [Finding] {
    let made: Set<String> = [OutputDocument.config, OutputDocument.index]
    return (packed.manifests.first?.output?.documents ?? []).filter {
      made.contains($0) && !FileStatus.exists(directory + "/" + $0)
    }.map { name in
      let path = directory + "/" + name
      return Finding(
        file: path, rule: .documentMissing,
        message: "\(path) is missing: it was written with the weights")
    }
  }

  private func configFindings() -> [Finding] {
    guard let config = packed.checkpoint.config, let path = packed.checkpoint.configPath else {
      return []
    }
    let block = QuantizationBlock(config)
    func finding(_ tensor: String?, _ text: String) -> Finding {
      Finding(file: path, tensor: tensor, rule: .config, message: "\(path): \(text)")
    }
    guard let whole = block.whole, whole.members != nil else {
      return [finding(nil, "'\(QuantizationBlock.name)', which runtimes read, is missing")]
    }
    var findings: [Finding] = []
    if config.document[QuantizationBlock.secondName] != whole {
      findings.append(
        finding(
          nil, "'\(QuantizationBlock.secondName)' is not the same as '\(QuantizationBlock.name)'"))
    }
    if whole["mode"] != "affine" {
      findings.append(finding(nil, "'\(QuantizationBlock.name)' does not give the mode 'affine'"))
    }
    let options = packed.manifests.first?.options
    for name in ["bits", "group_size"] {
      if let expected = options?[name], whole[name] != expected {
        findings.append(
          finding(
            nil,
            "'\(QuantizationBlock.name)' does not give the \(name) that the manifest names:"
              + " \(expected.compactText)"))
      }
    }
    return findings + moduleFindings(block, finding)
  }

  /// What holds for each module must be its layout, and nothing may hold for what is not packed.
  private func moduleFindings(
    _ block: QuantizationBlock, _ finding: (String?, String) -> Finding
  ) -> [Finding] {
    var findings: [Finding] = []
    var packedModules = Set<String>()
    for tensor in packed.tensors {
      guard case .affine(let layout, _) = tensor.entry.encoding else { continue }
      let module = Manifest.Entry.modulePath(of: tensor.entry.name)
      packedModules.insert(module)
      let entry = block.entry(of: module)
      if entry?["bits"]?.intValue != layout.bits
        || entry?["group_size"]?.intValue != layout.groupSize
        || entry?["mode"]?.stringValue != "affine"
      {
        findings.append(
          finding(
            tensor.entry.name,
            "'\(QuantizationBlock.name)' does not give \(layout.bits) bits in groups of"
              + " \(layout.groupSize) and the mode 'affine' for '\(module)'"))
      }
    }
    return findings
      + block.modules.filter { !packedModules.contains($0.name) }.map {
        finding($0.name, "'\(QuantizationBlock.name)' names '\($0.name)', which is not packed")
      }
  }

  /// Opening the checkpoint has held names and places against the files; what is left is the size.
  private func indexFindings() -> [Finding] {
    let path = directory + "/" + OutputDocument.index
    guard FileStatus.exists(path) else { return [] }
    let total = packed.checkpoint.tensors.reduce(0) { $0 + $1.info.byteCount }
    do {
      let found = try ShardIndex(path: path).totalByteCount
      if found == total { return [] }
      return [
        Finding(
          file: path, rule: .index,
          message: "\(path): 'total_size' is \(found.map { "\($0)" } ?? "missing");"
            + " the tensors take \(total) bytes")
      ]
    } catch {
      return [Finding(error, file: path)]
    }
  }
}
