import Formats

/// Repeats the conversion that a merged checkpoint records, source to packed to merged, and
/// compares every stored byte.
///
/// The error that the manifest records cannot be measured once biases have moved; the bytes can be
/// made again, for the same source, options and adapters give the same bytes.
struct Reconversion {
  private let packed: PackedCheckpoint
  private let plan: ConversionPlan

  /// - Throws: `MergeError`, `AdapterError`, `PlanError`, `SourceError`, `FileError` where the
  ///   conversion cannot be repeated.
  init(
    _ packed: PackedCheckpoint, source: String, adapters: AdapterSet
  ) throws {
    self.packed = packed
    var adapters = adapters
    let recorded = packed.manifests.compactMap(\.adapters).flatMap(\.merged).flatMap(\.modules)
      .compactMap { $0.pooling.flatMap(PoolingConvention.init) }
    adapters.chosenPooling = adapters.chosenPooling ?? recorded.first { $0 != .peft }
    let options = try ConversionOptions(repeating: packed)
    plan = try ConversionPlan(
      Checkpoint(path: source), options: options, arrangement: TensorArrangement(of: packed),
      adapters: adapters)
  }

  func run(_ context: RunContext) throws -> [Finding] {
    let stored = Dictionary(
      packed.tensors.map { ($0.entry.name, $0) }, uniquingKeysWith: { first, _ in first })
    let fits = plan.tensors.map { plan in stored[plan.name].map { Self.fits(plan, $0) } ?? false }
    let compared = plan.producers().enumerated().map { index, producer -> TensorComparison? in
      guard fits[index], let tensor = stored[plan.tensors[index].name] else { return nil }
      return .bytes(producer, StoredParts(tensor.stored, in: packed.checkpoint))
    }
    let pass = ComparisonPass(compared)
    try pass.run(context)
    return try recordFindings()
      + SourceFileCheck(packed, plan.checkpoint, pass.digests).findings(context)
      + tensorFindings(stored, fits: fits, differing: pass.losses.map(\.differs))
  }

  /// Whether the stored tensors are those that the plan would write, bytes aside.
  private static func fits(_ plan: TensorPlan, _ tensor: PackedCheckpoint.Tensor) -> Bool {
    plan.stored.count == tensor.stored.count
      && zip(plan.stored, tensor.stored).allSatisfy {
        $0.name == $1.name && $0.dtype == $1.info.dtype && $0.shape == $1.info.shape
      }
  }

  /// Whether the manifests name these adapters, merged in this way.
  private func recordFindings() -> [Finding] {
    func facts(_ adapters: Manifest.Adapters?) -> [Manifest.MergedAdapter] {
      (adapters?.merged ?? []).map {
        // A directory may have been renamed.
        Manifest.MergedAdapter(
          name: "", checksum: $0.checksum, configChecksum: $0.configChecksum, weight: $0.weight,
          modules: $0.modules)
      }
    }
    return zip(packed.checkpoint.files, packed.manifests).compactMap { file, manifest in
      guard facts(manifest.adapters) != facts(plan.adapters) else { return nil }
      let names = (manifest.adapters?.merged ?? []).map(\.name)
      return Finding(
        file: file.path, rule: .adapters,
        message: "\(file.path): the manifest records other adapters than those given,"
          + " or another way to merge them: "
          + (names.isEmpty ? "none" : names.joined(separator: ", ")))
    }
  }

  private func tensorFindings(
    _ stored: [String: PackedCheckpoint.Tensor], fits: [Bool], differing: [Bool]
  ) -> [Finding] {
    func finding(_ name: String, _ file: String, _ text: String) -> Finding {
      Finding(
        file: file, tensor: name, rule: .source, message: "\(file): tensor '\(name)' \(text)")
    }
    var findings: [Finding] = []
    for (index, tensor) in plan.tensors.enumerated() where tensor.action != .drop {
      guard let other = stored[tensor.name] else {
        findings.append(
          finding(tensor.name, packed.checkpoint.path, "of the source is missing"))
        continue
      }
      let file = packed.checkpoint.files[other.stored[0].file].path
      if !fits[index] {
        findings.append(
          finding(tensor.name, file, "is packed in another way than its options say"))
      } else if differing[index] {
        findings.append(
          finding(tensor.name, file, "is not what source and adapters give"))
      }
    }
    let planned = Set(plan.tensors.filter { $0.action != .drop }.map(\.name))
    return findings
      + stored.values.filter { !planned.contains($0.entry.name) }.map {
        finding(
          $0.entry.name, packed.checkpoint.files[$0.stored[0].file].path, "is not in the source")
      }.sorted { $0.message < $1.message }
  }
}

extension ConversionOptions {
  /// What a packed checkpoint's manifests record, enough to pack its source in the same way. The
  /// entries say what was done to each tensor; patterns of the options are not matched again.
  ///
  /// - Throws: `ManifestError` where the records are not those of a conversion;
  ///   `MergeError.needsActivations` where it used files that are not recorded whole;
  ///   `MergeError.earlierSearch` where its search is no longer known.
  init(repeating packed: PackedCheckpoint) throws {
    self.init()
    let file = packed.checkpoint.files.first?.path ?? packed.checkpoint.path
    let json = packed.manifests.first?.options ?? [:]
    guard let action = json["non_finite"]?.stringValue.flatMap(NonFinitePolicy.init) else {
      throw ManifestError.malformed(
        file: file, place: "options.non_finite", expected: "what to do about such weights")
    }
    nonFinite = action
    requantizes = json["requantize"]?.boolValue ?? false
    if let files = json["activations"]?.arrayValue {
      throw MergeError.needsActivations(
        path: packed.checkpoint.path, files: files.compactMap { $0["file"]?.stringValue })
    }
    var layouts: [String: AffineLayout] = [:]
    for tensor in packed.tensors {
      guard case .affine(let layout) = tensor.entry.layout else { continue }
      guard tensor.entry.method != QuantizationMethod.earlierSearch else {
        throw MergeError.earlierSearch(path: packed.checkpoint.path)
      }
      guard let method = tensor.entry.method.flatMap(QuantizationMethod.init(recordedName:)) else {
        throw ManifestError.malformed(
          file: file, place: "tensors['\(tensor.entry.name)'].method", expected: "a known method")
      }
      guard !method.needsGrams else {
        throw ManifestError.malformed(
          file: file, place: "options.activations", expected: "the calibration that was used")
      }
      self.method = method
      layouts[tensor.entry.name] = layout
    }
    recordedLayouts = layouts
    scaleType = json["scale_dtype"]?.stringValue.flatMap { ScaleType(rawValue: $0.uppercased()) }
    // Biases of another type than the scales come from a merge that was asked for them.
    biasType =
      packed.tensors.lazy.filter { $0.stored.count == 3 }.map { $0.stored.map(\.info.dtype) }
      .first { $0[1] != $0[2] }.flatMap { ScaleType($0[2]) }
    // Groups that do not fit can only have been merged before quantization.
    mergesMismatchedGroups = true
  }
}
