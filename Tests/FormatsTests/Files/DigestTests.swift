import Formats
import Stats
import TestSupport
import Testing

@Suite struct DigestTests {
  private static let block = 1 << 18

  private static func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 * 131 + ($0 >> 8) * 7 + ($0 >> 16) * 29) }
  }

  /// Computed with python-xxhash 4.1.
  @Test(arguments: [
    (0, "ef46db3751d8e999", "ef46db3751d8e999"), (1, "36979d78f232250a", "e934a84adb052768"),
    (31, "d9f4d0e6a257157a", "1add2d10328c4897"), (32, "3cad6125fb3b37d9", "333288d992cf3b16"),
    (33, "74173c4dfa8f73d5", "379b60150f2cfc7f"),
    (block - 1, "d98f120d105d0ca2", "8ff8df3adf9ed44c"),
    (block, "87a0227d25173784", "cc9b96779a97ab7c"),
    (block + 1, "cc5ff1c0de313199", "943678f1a09e0e30"),
    (3 * block + 5, "13b58d6a5de6bcfc", "d9a84e124bb639b4"),
  ])
  func knownBytesHaveTheirKnownDigests(_ count: Int, _ blocks: String, _ whole: String) {
    let bytes = Self.bytes(count)
    #expect(Digest(of: bytes).hexDigits == blocks)
    #expect(Digest(.whole, of: bytes).hexDigits == whole)
    #expect(NaiveDigest.blocks(bytes) == blocks && NaiveDigest.whole(bytes) == whole)
  }

  @Test func whatIsCombinedHasItsKnownDigest() {
    let parts = [Digest(of: Self.bytes(5)), Digest(of: Self.bytes(Self.block + 1)), Digest(of: [])]
    #expect(Digest(combining: parts).hexDigits == "02a8cf4a0d8a62ba")
  }

  /// However the bytes are cut, and whichever whole blocks were hashed before.
  @Test func piecesGiveTheDigestOfTheWhole() {
    let bytes = Self.bytes(5 * Self.block + 77)
    let expected = Digest(of: bytes)
    var random = SplitMix64(seed: 12)
    for _ in 0..<6 {
      var hasher = DigestHasher()
      var start = 0
      while start < bytes.count {
        // Half of the pieces end where a block ends.
        let farthest = min(bytes.count, start + 2 * Self.block)
        var end = Int.random(in: start + 1...farthest, using: &random)
        if Bool.random(using: &random) {
          end = min(bytes.count, (end + Self.block - 1) / Self.block * Self.block)
        }
        let hashed = Digest.Rule.blocks.blockValues(bytes, start..<end, at: start)
        #expect(hashed.count == (start % Self.block == 0 ? (end - start) / Self.block : 0))
        hasher.update(bytes, start..<end, hashed: hashed)
        start = end
      }
      #expect(hasher.digest == expected)
    }
  }

  @Test func severalRulesAreFollowedAtOnce() {
    let bytes = Self.bytes(2 * Self.block + 9)
    var hashers = DigestHashers([.blocks, .whole])
    hashers.update(
      bytes, 0..<bytes.count,
      hashed: Digest.Rule.blocks.blockValues(bytes, 0..<bytes.count, at: 0))
    #expect(hashers.digest(.blocks) == Digest(of: bytes))
    #expect(hashers.digest(.whole) == Digest(.whole, of: bytes))
    #expect(Digest.Rule.whole.blockValues(bytes, 0..<bytes.count, at: 0) == [])
  }

  @Test func filesAndTensorsAreDigestedByEitherRule() throws {
    let folder = try TemporaryFolder()
    let tensors = [
      TestTensor("b", "U8", [Self.block + 1], bytes: Self.bytes(Self.block + 1)),
      TestTensor("none", "U8", [0]), TestTensor("a", "U8", [7], bytes: Self.bytes(7)),
    ]
    let path = folder.path("model.safetensors")
    try writeSafetensors(tensors, to: path)
    let file = try SafetensorsFile(path: path)
    let bytes = try contents(of: path)
    #expect(try file.input.digest(.blocks).hexDigits == NaiveDigest.blocks(bytes))
    #expect(try file.input.digest(.whole).hexDigits == NaiveDigest.whole(bytes))
    for (info, tensor) in zip(file.header.tensors, tensors) {
      #expect(try file.digest(.blocks, of: info).hexDigits == NaiveDigest.blocks(tensor.bytes))
      #expect(try file.digest(.whole, of: info).hexDigits == NaiveDigest.whole(tensor.bytes))
    }
    let source = try file.sourceDigest { try file.digest(.blocks, of: $0) }
    #expect(source.hexDigits == NaiveDigest.source(try NaiveFile(path: path)))
  }
}
