import Formats
import Stats
import Synchronization

/// Compares a packed checkpoint with the source it was made from: the source's digests, every kept
/// tensor bit by bit, and the error of every packed one with what the manifest records.
struct SourceComparison {
  private let packed: PackedCheckpoint
  private let plan: ConversionPlan
  /// Index into the plan's tensors, by name.
  private let indexes: [String: Int]
  private let jobs: [Job]
  private let threads: Int
  private let cancellation: Cancellation

  /// Recorded errors have eleven digits; the sums are formed in the same order as they were.
  private static let tolerance = 1e-9
  /// decant 0.1.0 rounded the largest error to a `Float`.
  private static let singleTolerance = 0x1p-23

  private struct Job {
    /// Index into `packed.tensors`, and into the plan's.
    let tensor: Int
    let source: Int
    let content: TileJob.Content
    /// Bytes of the source that the tile stands for.
    let byteCount: Int
  }

  /// - Throws: `SourceError`, `SafetensorsError`, `FileError` where the source cannot be opened.
  init(
    _ packed: PackedCheckpoint, source: String, threads: Int, cancellation: Cancellation
  ) throws {
    self.packed = packed
    self.threads = threads
    self.cancellation = cancellation
    var options = ConversionOptions()
    // What the conversion did about such weights is recorded; here they must not stop the check.
    options.nonFinite = .zero
    let plan = try ConversionPlan(Checkpoint(path: source), options: options)
    self.plan = plan
    let indexes = Dictionary(
      plan.tensors.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    self.indexes = indexes
    jobs = packed.tensors.enumerated().flatMap { index, tensor -> [Job] in
      guard let source = indexes[tensor.entry.name] else { return [] }
      let info = plan.tensors[source].tensor.info
      return Tiling.contents(of: tensor.entry, source: plan.tensors[source]).map { content in
        let bytes =
          switch (content, tensor.entry.encoding) {
          case (.groups(let groups), .affine(let layout, _)),
            (.transposedGroups(let groups), .affine(let layout, _)):
            groups.count * layout.groupSize * info.dtype.bitCount / 8
          case (.bytes(let range), _), (.elements(let range), _), (.groups(let range), .raw),
            (.transposedGroups(let range), .raw):
            range.count
          }
        return Job(tensor: index, source: source, content: content, byteCount: bytes)
      }
    }
  }

  func run(
    progress: @escaping @Sendable (Int) -> Void
  ) throws -> (findings: [Finding], distances: [MatrixDistance]) {
    var errors = packed.tensors.map { _ in QuantizationError() }
    var differs = packed.tensors.map { _ in false }
    let source = TileReader(checkpoint: plan.checkpoint, nonFinite: .zero)
    let decoder = PackedTileReader(checkpoint: packed.checkpoint)
    let shapeFindings = packed.tensors.indices.map { shapeFinding($0) }
    let pipeline = OrderedPipeline(
      jobCount: jobs.count, slots: (0..<2 * threads).map { _ in TileSlot() },
      work: { index, slot in
        try cancellation.check()
        guard shapeFindings[jobs[index].tensor] == nil else { return }
        try compare(jobs[index], source, decoder, slot)
      },
      handOn: { index, slot in
        let tensor = jobs[index].tensor
        errors[tensor].merge(slot.error)
        if slot.error.squaredError != 0 { differs[tensor] = true }
        progress(jobs[index].byteCount)
      })
    try pipeline.run(threads: threads)
    var findings =
      try Self.digestFindings(packed, plan.checkpoint, cancellation) + missingFindings()
    let rowFindings = try checkRows(source, decoder, comparable: shapeFindings.map { $0 == nil })
    var distances: [MatrixDistance] = []
    for index in packed.tensors.indices {
      if let finding = shapeFindings[index] {
        findings.append(finding)
        continue
      }
      if let finding = errorFinding(index, errors[index], differs: differs[index]) {
        findings.append(finding)
      }
      if let finding = rowFindings[index] { findings.append(finding) }
      if let distance = distance(index, errors[index], differs: differs[index]) {
        distances.append(distance)
      }
    }
    return (findings, distances)
  }

  /// What the second decoder finds, by the tensors' indexes.
  private func checkRows(
    _ source: TileReader, _ decoder: PackedTileReader, comparable: [Bool]
  ) throws -> [Int: Finding] {
    let check = RowCheck(packed, source: plan.checkpoint)
    let results = Mutex<[Int: Finding]>([:])
    let pipeline = OrderedPipeline(
      jobCount: packed.tensors.count, slots: (0..<threads).map { _ in TileSlot() },
      work: { index, slot in
        try cancellation.check()
        let tensor = packed.tensors[index]
        guard comparable[index], case .affine(let layout, _) = tensor.entry.encoding,
          let sourceIndex = indexes[tensor.entry.name]
        else { return }
        let perRow = plan.tensors[sourceIndex].inputCount / layout.groupSize
        let finding = try check.finding(index) { row in
          let groups = row * perRow..<(row + 1) * perRow
          let content: TileJob.Content =
            tensor.entry.isTransposed ? .transposedGroups(groups) : .groups(groups)
          try compare(
            Job(tensor: index, source: sourceIndex, content: content, byteCount: 0), source,
            decoder,
            slot)
          return slot.error
        }
        if let finding { results.withLock { $0[index] = finding } }
      }, handOn: { _, _ in })
    try pipeline.run(threads: threads)
    return results.withLock { $0 }
  }

  /// Of a weight matrix; a kept one that differs has a finding in its place.
  private func distance(
    _ index: Int, _ measured: QuantizationError, differs: Bool
  ) -> MatrixDistance? {
    let tensor = packed.tensors[index]
    let file = packed.checkpoint.files[tensor.stored[0].file].path
    if case .affine(let layout, _) = tensor.entry.encoding {
      return MatrixDistance(
        file: file, tensor: tensor.entry.name, layout: layout, error: measured)
    }
    guard tensor.entry.sourceShape.count >= 2, tensor.entry.sourceDType.isFloat, !differs else {
      return nil
    }
    return MatrixDistance(
      file: file, tensor: tensor.entry.name, layout: nil, error: QuantizationError())
  }

  /// Leaves in `slot.error` what decoding the tile loses; for a raw tensor, 1 where bytes differ.
  private func compare(
    _ job: Job, _ source: TileReader, _ decoder: PackedTileReader, _ slot: TileSlot
  ) throws {
    let tensor = packed.tensors[job.tensor]
    let plan = plan.tensors[job.source]
    slot.error = QuantizationError()
    switch (job.content, tensor.entry.encoding) {
    case (.bytes(let range), _) where plan.tensor.info.dtype == tensor.stored[0].info.dtype:
      try source.readBytes(range, of: plan, into: slot)
      var other = [UInt8](repeating: 0, count: range.count)
      try packed.checkpoint.read(range, of: tensor.stored[0], into: &other)
      if other[...] != slot.source[0..<range.count] { slot.error.squaredError = 1 }
    case (.bytes(let range), _):
      try compareDecoded(range, tensor, plan, source, slot)
    case (.groups(let groups), .affine(let layout, _)):
      let size = layout.groupSize
      try source.readRun(groups.lowerBound * size..<groups.upperBound * size, of: plan, into: slot)
      try decoder.read(groups, of: tensor, layout: layout, into: slot)
      measure(groups.count, layout, slot)
    case (.transposedGroups(let groups), .affine(let layout, _)):
      let perRow = plan.inputCount / layout.groupSize
      try source.readTransposed(
        rows: groups.lowerBound / perRow..<groups.upperBound / perRow, of: plan, into: slot)
      try decoder.read(groups, of: tensor, layout: layout, into: slot)
      measure(groups.count, layout, slot)
    case (.elements, _), (.groups, .raw), (.transposedGroups, .raw):
      preconditionFailure("raw tensors are compared by bytes")
    }
  }

  /// An FP8 weight that was kept: decoded with its scale it must give the stored elements.
  private func compareDecoded(
    _ range: Range<Int>, _ tensor: PackedCheckpoint.Tensor, _ plan: TensorPlan,
    _ source: TileReader, _ slot: TileSlot
  ) throws {
    guard let type = ScaleType(tensor.stored[0].info.dtype) else { return }
    try source.readRun(range, of: plan, into: slot)
    var expected = [UInt8](repeating: 0, count: range.count * type.byteCount)
    ElementEncoder.encode(slot.weights, count: range.count, as: type, into: &expected)
    var other = expected
    let start = range.lowerBound * type.byteCount
    try packed.checkpoint.read(start..<start + other.count, of: tensor.stored[0], into: &other)
    if other != expected { slot.error.squaredError = 1 }
  }

  /// The same sums in the same order as when the tensor was packed.
  private func measure(_ groups: Int, _ layout: AffineLayout, _ slot: TileSlot) {
    let size = layout.groupSize
    for group in 0..<groups {
      let loss = GroupKernels.difference(
        slot.weights.span, group * size, size, decoded: slot.transposed.span, at: group * size)
      slot.error.squaredNorm += GroupKernels.squaredNorm(slot.weights.span, group * size, size)
      slot.error.squaredError += loss.squared
      slot.error.largestError = max(slot.error.largestError, loss.largest)
    }
  }

  /// Tensors of the source that a conversion would not leave out, and that are not there.
  private func missingFindings() -> [Finding] {
    let present = Set(packed.tensors.map(\.entry.name))
    return plan.tensors.filter { $0.action != .drop && !present.contains($0.name) }.map { tensor in
      Finding(
        file: packed.checkpoint.path, tensor: tensor.name, rule: .source,
        message: "\(packed.checkpoint.path): tensor '\(tensor.name)' of the source is missing")
    }
  }

  private func shapeFinding(_ index: Int) -> Finding? {
    let tensor = packed.tensors[index]
    let file = packed.checkpoint.files[tensor.stored[0].file].path
    func finding(_ text: String) -> Finding {
      Finding(
        file: file, tensor: tensor.entry.name, rule: .source,
        message: "\(file): tensor '\(tensor.entry.name)' \(text)")
    }
    guard let source = indexes[tensor.entry.name].map({ plan.tensors[$0] }) else {
      return finding("is not in the source")
    }
    guard source.tensor.info.shape == tensor.entry.sourceShape,
      source.tensor.info.dtype == tensor.entry.sourceDType
    else {
      return finding(
        "was \(tensor.entry.sourceDType.rawValue) \(tensor.entry.sourceShape);"
          + " the source has \(source.tensor.info.dtype.rawValue) \(source.tensor.info.shape)")
    }
    if case .affine = tensor.entry.encoding,
      source.identity.isTransposed != tensor.entry.isTransposed
    {
      return finding(
        "is packed \(tensor.entry.isTransposed ? "transposed" : "as it lies"),"
          + " which is not the order of the source's weights")
    }
    return nil
  }

  private func errorFinding(
    _ index: Int, _ measured: QuantizationError, differs: Bool
  ) -> Finding? {
    let tensor = packed.tensors[index]
    let file = packed.checkpoint.files[tensor.stored[0].file].path
    guard let recorded = tensor.entry.error else {
      return differs
        ? Finding(
          file: file, tensor: tensor.entry.name, rule: .source,
          message: "\(file): tensor '\(tensor.entry.name)' differs from the source") : nil
    }
    func agrees(_ a: Double, _ b: Double, within tolerance: Double = Self.tolerance) -> Bool {
      abs(a - b) <= tolerance * max(a, b)
    }
    if agrees(recorded.squaredError, measured.squaredError),
      agrees(recorded.squaredNorm, measured.squaredNorm),
      agrees(recorded.largestError, measured.largestError, within: Self.singleTolerance)
    {
      return nil
    }
    return Finding(
      file: file, tensor: tensor.entry.name, rule: .recordedError,
      message: "\(file): tensor '\(tensor.entry.name)' has squared error \(measured.squaredError)"
        + " against the source; the manifest says \(recorded.squaredError)")
  }

  /// Whether the source's files are the ones that the manifests name.
  static func digestFindings(
    _ packed: PackedCheckpoint, _ source: Checkpoint, _ cancellation: Cancellation
  ) throws -> [Finding] {
    var findings: [Finding] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    let recorded = Dictionary(
      (packed.manifests.first?.sources ?? []).map { ($0.name, $0) },
      uniquingKeysWith: { first, _ in first })
    for (name, file) in zip(source.fileNames, source.files) {
      guard let expected = recorded[name] else {
        findings.append(
          Finding(
            file: file.path, rule: .source,
            message: "\(file.path) is not among the files that the manifest names"))
        continue
      }
      var hash = XXH64()
      for start in stride(from: 0, to: file.input.byteCount, by: buffer.count) {
        try cancellation.check()
        let count = min(buffer.count, file.input.byteCount - start)
        try file.input.read(start..<start + count, into: &buffer)
        hash.update(buffer, 0..<count)
      }
      if hash.value != expected.checksum || file.input.byteCount != expected.byteCount {
        findings.append(
          Finding(
            file: file.path, rule: .source,
            message: "\(file.path) is not the file that was converted:"
              + " its checksum is \(hash.value.hexDigits), the manifest says"
              + " \(expected.checksum.hexDigits)"))
      }
    }
    try source.checkUnchanged()
    return findings
  }
}
