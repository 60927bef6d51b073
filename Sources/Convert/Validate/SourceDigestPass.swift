import Formats

/// Digests every tensor of a source file, on any thread.
final class SourceDigestPass: TensorPass {
  private let file: SafetensorsFile
  /// Of each tensor, in the order of the header.
  private(set) var digests: [Digest] = []
  private var hasher = DigestHasher(.blocks)

  final class Slot {
    var bytes: [UInt8] = []
    /// The values of the whole blocks.
    var blocks: [UInt64] = []
  }

  init(_ file: SafetensorsFile) { self.file = file }

  /// The digest of the file as a source.
  ///
  /// - Throws: `FileError`, `CancellationError`.
  static func digest(of file: SafetensorsFile, _ context: RunContext) throws -> Digest {
    let pass = SourceDigestPass(file)
    // What is read here was counted when it was compared.
    try pass.run(RunContext(threads: context.threads, cancellation: context.cancellation))
    var digests = pass.digests[...]
    return file.sourceDigest { _ in digests.removeFirst() }
  }

  var tensorCount: Int { file.header.tensors.count }

  func tiles(of tensor: Int) -> [Range<Int>] {
    Tiling.ranges(file.header.tensors[tensor].byteCount, step: Tiling.byteCount)
  }

  func makeSlot() -> Slot { Slot() }

  func work(_ range: Range<Int>, of tensor: Int, in slot: Slot) throws {
    slot.bytes.grow(to: range.count, filler: 0)
    try file.read(range, of: file.header.tensors[tensor], into: &slot.bytes)
    slot.blocks = Digest.Rule.blocks.blockValues(
      slot.bytes, 0..<range.count, at: range.lowerBound)
  }

  func fold(_ range: Range<Int>, of tensor: Int, from slot: Slot) -> Int {
    hasher.update(slot.bytes, 0..<range.count, hashed: slot.blocks)
    return range.count
  }

  func finish(_ tensor: Int) {
    digests.append(hasher.digest)
    hasher = DigestHasher(.blocks)
  }
}
