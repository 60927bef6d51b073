import Formats

/// Whether the entries of a file have the layouts that its plan chose. Manifests of version 1 are
/// not held to it.
struct PlanCheck {
  let packed: PackedCheckpoint

  func findings() -> [Finding] {
    zip(packed.checkpoint.files, packed.manifests).flatMap { file, manifest in
      manifest.version == 1
        ? [] : manifest.plan.map { Self.findings(file.path, manifest.tensors, $0) } ?? []
    }
  }

  private static func findings(
    _ file: String, _ entries: [Manifest.Entry], _ plan: JSONValue
  ) -> [Finding] {
    func finding(_ tensor: String?, _ text: String) -> Finding {
      Finding(file: file, tensor: tensor, rule: .plan, message: "\(file): \(text)")
    }
    guard let planned = plan["tensors"]?.arrayValue else {
      return [finding(nil, "the plan in the manifest names no tensors")]
    }
    let choices = Dictionary(
      planned.compactMap { choice in choice["name"]?.stringValue.map { ($0, choice) } },
      uniquingKeysWith: { first, _ in first })
    return entries.compactMap { entry in
      guard let choice = choices[entry.name] else {
        return entry.layout == .plain
          ? nil
          : finding(
            entry.name,
            "tensor '\(entry.name)' is packed, and the plan in the manifest has no width for it")
      }
      let chosen = Manifest.Layout(planned: choice)
      return chosen == entry.layout
        ? nil
        : finding(
          entry.name,
          "tensor '\(entry.name)' is \(entry.layout.words); the plan in the manifest makes it "
            + (chosen?.words ?? "nothing that exists"))
    }
  }
}

extension Manifest.Layout {
  /// What a plan chose for a tensor; nil where that is no layout.
  fileprivate init?(planned choice: JSONValue) {
    if choice["keep"]?.boolValue == true {
      self = .plain
    } else if let bits = choice["bits"]?.intValue, let groupSize = choice["group_size"]?.intValue,
      let layout = AffineLayout(bits: bits, groupSize: groupSize)
    {
      self = .affine(layout)
    } else {
      return nil
    }
  }

  fileprivate var words: String {
    switch self {
    case .plain: "plain"
    case .affine(let layout): "\(layout.bits) bits in groups of \(layout.groupSize)"
    case .blocks(let type): type.name
    }
  }
}
