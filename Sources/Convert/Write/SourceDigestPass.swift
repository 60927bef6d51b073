import Formats

/// Digests the tensors of a source file of which the digests are not known, on any thread.
final class SourceDigestPass: TensorPass {
  private let file: SafetensorsFile
  private let digests: SourceDigests
  private let missing: [TensorInfo]
  private var hasher = DigestHasher(.blocks)

  final class Slot {
    var bytes: [UInt8] = []
    /// The values of the whole blocks.
    var blocks: [UInt64] = []
  }

  private init(_ file: SafetensorsFile, _ digests: SourceDigests) {
    self.file = file
    self.digests = digests
    missing = file.header.tensors.filter { !digests.holds($0, of: file) }
  }

  /// The digest of the file as a source.
  ///
  /// - Parameter digests: those that are known already; gets the others.
  /// - Throws: `FileError`, `CancellationError`.
  static func digest(
    of file: SafetensorsFile, _ digests: SourceDigests, _ context: RunContext
  ) throws -> Digest {
    let pass = SourceDigestPass(file, digests)
    try pass.run(context)
    return digests.digest(of: file)
  }

  var tensorCount: Int { missing.count }

  func tiles(of tensor: Int) -> [Range<Int>] {
    Tiling.ranges(missing[tensor].byteCount, step: Tiling.byteCount)
  }

  func makeSlot() -> Slot { Slot() }

  func work(_ range: Range<Int>, of tensor: Int, in slot: Slot) throws {
    slot.bytes.grow(to: range.count, filler: 0)
    try file.read(range, of: missing[tensor], into: &slot.bytes)
    slot.blocks = Digest.Rule.blocks.blockValues(
      slot.bytes, 0..<range.count, at: range.lowerBound)
  }

  func fold(_ range: Range<Int>, of tensor: Int, from slot: Slot) -> Int {
    hasher.update(slot.bytes, 0..<range.count, hashed: slot.blocks)
    return range.count
  }

  func finish(_ tensor: Int) {
    digests.add(
      hasher.digest, of: ReadPart(file: file, tensor: missing[tensor], recorded: nil))
    hasher = DigestHasher(.blocks)
  }
}
