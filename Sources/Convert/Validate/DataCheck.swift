import Formats
import Synchronization

/// Reads every stored tensor once: its checksum, and for scales and biases whether all values are
/// finite.
struct DataCheck {
  let checkpoint: Checkpoint
  let stored: [PackedFile.Stored]
  let threads: Int
  let cancellation: Cancellation

  private static let step = 1 << 20

  func findings(progress: @escaping @Sendable (Int) -> Void) throws -> [Finding] {
    let results = Mutex<[Int: [Finding]]>([:])
    let pipeline = OrderedPipeline(
      jobCount: stored.count, slots: (0..<threads).map { _ in TileSlot() },
      work: { index, slot in
        let findings = try check(stored[index], slot, progress)
        if !findings.isEmpty { results.withLock { $0[index] = findings } }
      }, handOn: { _, _ in })
    try pipeline.run(threads: threads)
    return results.withLock { results in
      results.sorted { $0.key < $1.key }.flatMap(\.value)
    }
  }

  private func check(
    _ stored: PackedFile.Stored, _ slot: TileSlot, _ progress: (Int) -> Void
  ) throws -> [Finding] {
    let tensor = stored.tensor
    let file = checkpoint.files[tensor.file].path
    slot.source.grow(to: min(Self.step, tensor.info.byteCount), filler: 0)
    var hash = XXH64()
    var badIndex: Int?
    for range in Tiling.ranges(tensor.info.byteCount, step: Self.step) {
      try cancellation.check()
      do {
        try checkpoint.read(range, of: tensor, into: &slot.source)
      } catch {
        return [Finding(error, file: file)]
      }
      hash.update(slot.source, 0..<range.count)
      progress(range.count)
      if stored.isParameter, badIndex == nil {
        badIndex = firstNonFinite(range, of: tensor, slot)
      }
    }
    var findings: [Finding] = []
    if hash.value != stored.checksum {
      findings.append(
        Finding(
          .damagedTensor(
            file: file, tensor: tensor.name, found: hash.value, recorded: stored.checksum)))
    }
    if let badIndex {
      findings.append(
        Finding(
          file: file, tensor: tensor.name, rule: .notFinite,
          message: "\(file): tensor '\(tensor.name)' holds NaN or infinity at index \(badIndex)"))
    }
    return findings
  }

  /// Among the elements whose bytes `range` was read into `slot.source`.
  private func firstNonFinite(
    _ range: Range<Int>, of tensor: Checkpoint.Tensor, _ slot: TileSlot
  ) -> Int? {
    let size = tensor.info.dtype.bitCount / 8
    // A file whose entry does not fit its tensors may have anything in the place of scales.
    guard tensor.info.dtype.isFloat, size > 0 else { return nil }
    let count = range.count / size
    slot.scales.grow(to: count, filler: 0)
    guard
      ElementDecoder.decode(
        slot.source, count: count, as: tensor.info.dtype, into: &slot.scales)
    else { return nil }
    return (0..<count).first { !slot.scales[$0].isFinite }.map { $0 + range.lowerBound / size }
  }
}
