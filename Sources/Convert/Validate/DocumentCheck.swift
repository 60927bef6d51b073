import Formats
import Model

/// Whether the documents that decant made beside the weights are there, say what the manifests say
/// (the block of `config.json` that runtimes read, and the index), and are what was written.
struct DocumentCheck {
  private let packed: PackedCheckpoint
  private let directory: String
  private let cancellation: Cancellation

  /// Nil for a single file, which has no documents.
  init?(_ packed: PackedCheckpoint, _ cancellation: Cancellation) {
    guard let directory = packed.checkpoint.directory else { return nil }
    self.packed = packed
    self.directory = directory
    self.cancellation = cancellation
  }

  func findings() throws -> [Finding] {
    let digestFindings = try recorded.compactMap(digestFinding)
    return missingFindings() + configFindings() + indexFindings() + digestFindings
  }

  /// Only what decant makes is looked for: a recorded name leads nowhere else.
  private var recorded: [Manifest.Output.Document] {
    (packed.manifests.first?.output?.documents ?? []).filter {
      [OutputDocument.config, OutputDocument.index].contains($0.name)
    }
  }

  private func path(of document: Manifest.Output.Document) -> String {
    directory + "/" + document.name
  }

  private func missingFindings() -> [Finding] {
    recorded.map(path).filter { !FileStatus.exists($0) }.map { path in
      Finding(
        file: path, rule: .documentMissing,
        message: "\(path) is missing: it was written with the weights")
    }
  }

  private func digestFinding(_ document: Manifest.Output.Document) throws -> Finding? {
    let path = path(of: document)
    guard case .recorded(let recorded) = document, FileStatus.exists(path) else { return nil }
    func finding(_ text: String) -> Finding {
      Finding(file: path, rule: .documentDigest, message: "\(path) \(text)")
    }
    do {
      let input = try InputFile(path: path)
      guard input.byteCount == recorded.byteCount else {
        return finding(
          "has \(input.byteCount) bytes; \(recorded.byteCount) were written with the weights")
      }
      let found = try input.digest(recorded.digest.rule, check: cancellation.check)
      guard found != recorded.digest else { return nil }
      return finding(
        "has checksum \(found.hexDigits); the manifest says \(recorded.digest.hexDigits)")
    } catch let error as FileError {
      return Finding(error, file: path)
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
      guard case .affine(let layout) = tensor.entry.layout else { continue }
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
