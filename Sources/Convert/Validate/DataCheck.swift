import Formats

/// Reads every stored tensor once: its digest, and for scales and biases whether all values are
/// finite.
final class DataCheck: TensorPass {
  private let checkpoint: Checkpoint
  private let stored: [PackedFile.Stored]
  private(set) var findings: [Finding] = []

  /// What is known of a tensor when a part of it was read.
  final class Slot {
    var buffer: [UInt8] = []
    /// The values of its whole blocks.
    var blocks: [UInt64] = []
    var values: [Float] = []
    var count = 0
    /// Index of the first value that is not finite.
    var badIndex: Int?
    var failure: Finding?
  }

  /// Of the current tensor; nil before its first tile, and where nothing is recorded.
  private var hasher: DigestHasher?
  private var badIndex: Int?
  private var failure: Finding?

  init(_ checkpoint: Checkpoint, _ stored: [PackedFile.Stored]) {
    self.checkpoint = checkpoint
    self.stored = stored
  }

  var tensorCount: Int { stored.count }

  func tiles(of tensor: Int) -> [Range<Int>] {
    Tiling.ranges(stored[tensor].tensor.info.byteCount, step: Tiling.byteCount)
  }

  func makeSlot() -> Slot { Slot() }

  func work(_ range: Range<Int>, of tensor: Int, in slot: Slot) {
    let stored = stored[tensor]
    slot.count = range.count
    slot.badIndex = nil
    slot.failure = nil
    slot.blocks = []
    slot.buffer.grow(to: range.count, filler: 0)
    do {
      try checkpoint.read(range, of: stored.tensor, into: &slot.buffer)
    } catch {
      slot.failure = Finding(error, file: path(of: tensor))
      return
    }
    slot.blocks =
      stored.digest?.rule.blockValues(
        slot.buffer, 0..<range.count, at: range.lowerBound) ?? []
    if stored.isParameter { slot.badIndex = firstNonFinite(range, of: stored.tensor, slot) }
  }

  func fold(_ range: Range<Int>, of tensor: Int, from slot: Slot) -> Int {
    failure = failure ?? slot.failure
    if let recorded = stored[tensor].digest {
      if hasher == nil { hasher = DigestHasher(recorded.rule) }
      hasher?.update(slot.buffer, 0..<slot.count, hashed: slot.blocks)
    }
    badIndex = badIndex ?? slot.badIndex
    return range.count
  }

  func finish(_ tensor: Int) {
    defer { (hasher, badIndex, failure) = (nil, nil, nil) }
    let (name, file) = (stored[tensor].tensor.name, path(of: tensor))
    if let failure {
      findings.append(failure)
      return
    }
    if let recorded = stored[tensor].digest {
      let found = (hasher ?? DigestHasher(recorded.rule)).digest
      if found != recorded {
        findings.append(
          Finding(.damagedTensor(file: file, tensor: name, found: found, recorded: recorded)))
      }
    }
    if let badIndex {
      findings.append(
        Finding(
          file: file, tensor: name, rule: .notFinite,
          message: "\(file): tensor '\(name)' holds NaN or infinity at index \(badIndex)"))
    }
  }

  private func path(of tensor: Int) -> String { checkpoint.files[stored[tensor].tensor.file].path }

  /// Among the elements whose bytes `range` was read.
  private func firstNonFinite(
    _ range: Range<Int>, of tensor: Checkpoint.Tensor, _ slot: Slot
  ) -> Int? {
    let size = tensor.info.dtype.bitCount / 8
    // A file whose entry does not fit its tensors may have anything in the place of scales.
    guard tensor.info.dtype.isFloat, size > 0 else { return nil }
    let count = range.count / size
    slot.values.grow(to: count, filler: 0)
    guard
      ElementDecoder.decode(slot.buffer, count: count, as: tensor.info.dtype, into: &slot.values)
    else { return nil }
    return (0..<count).first { !slot.values[$0].isFinite }.map { $0 + range.lowerBound / size }
  }
}
