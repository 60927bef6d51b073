import Formats
import Foundation
import Testing

@testable import Convert

/// What reads a packed checkpoint refuses a damaged one, and leaves no output.
@Suite struct DamageIsNotPassedOnTests {
  private let pack: SmallPack

  init() throws { pack = try SmallPack() }

  private var outputs: [String] {
    pack.folder.entries.filter { $0.hasPrefix("out") || $0.contains(".partial") }
  }

  private static let stored =
    [SmallPack.embedding, SmallPack.up, SmallPack.down].flatMap { name in
      let module = name.dropLast(".weight".count)
      return [name, module + ".scales", module + ".biases"]
    } + [SmallPack.norm]

  @Test(arguments: stored) func unpackingStopsAtEveryDamagedTensor(_ tensor: String) throws {
    try pack.edit(pack.oneFile) { file in file.data[file.range(of: tensor).upperBound - 2] ^= 1 }
    let error = #expect(throws: PackedError.self) {
      try unpack(pack.one, to: pack.folder.path + "/out")
    }
    #expect(error?.rule == .checksum && error?.tensor == tensor)
    #expect(error?.file == pack.oneFile)
    #expect(outputs == [])
  }

  @Test(arguments: stored) func mergingStopsAtEveryDamagedTensor(_ tensor: String) throws {
    try pack.edit(pack.oneFile) { file in file.data[file.range(of: tensor).upperBound - 2] ^= 1 }
    let error = #expect(throws: PackedError.self) { try pack.merged(pack.one, to: "out") }
    #expect(error?.rule == .checksum && error?.tensor == tensor)
    #expect(error?.file == pack.oneFile)
    #expect(outputs == [])
  }

  /// Damage to what the merge changed does not matter to an undo; to anything else it does.
  @Test func undoingStopsAtADamagedTensor() throws {
    let merged = try pack.merged(pack.one, to: "merged")
    try pack.edit(merged + "/model.safetensors") { file in
      file.data[file.range(of: SmallPack.norm).lowerBound] ^= 1
    }
    let error = #expect(throws: PackedError.self) {
      try undo(merged, to: pack.folder.path + "/out")
    }
    #expect(error?.tensor == SmallPack.norm)
    #expect(outputs == [])
  }

  @Test func anUnsoundHeaderIsAnErrorEverywhere() throws {
    for (sealed, expected) in [
      (true, PackedError.headerUnsealed(file: pack.oneFile)),
      (false, PackedError.headerDamaged(file: pack.oneFile)),
    ] {
      try pack.edit(pack.oneFile, sealing: false) { file in
        if sealed {
          file.header["__metadata__"]?[Manifest.headerChecksumKey] = nil
        } else {
          file.header["__metadata__"]?[Manifest.headerChecksumKey] = "0123456789abcdef"
        }
      }
      #expect(throws: expected) { try Inspection(Checkpoint(path: pack.one)) }
      #expect(throws: expected) { try unpack(pack.one, to: pack.folder.path + "/out") }
      #expect(throws: expected) { try pack.merged(pack.one, to: "out") }
      #expect(outputs == [])
      try FileManager.default.removeItem(atPath: pack.one)
      try convert(pack.source, to: pack.one)
    }
  }

  @Test func anUnsoundHeaderOfTheOriginalsStopsAnUndo() throws {
    let merged = try pack.merged(pack.one, to: "merged")
    let originals = merged + "/decant-unmerged.safetensors"
    var file = try PackedEditor(originals)
    file.header["__metadata__"]?["decant.unmerged_by"] = "9.9.9"
    try file.write(sealing: false, keepingManifest: false)
    #expect(throws: PackedError.headerDamaged(file: originals)) {
      try undo(merged, to: pack.folder.path + "/out")
    }
    #expect(outputs == [])
  }

  @Test func carriedFilesMustBeWhatWasRecorded() throws {
    let path = pack.one + "/tokenizer.json"
    try pack.editBytes(path) { $0[2] ^= 1 }
    for work in [
      { _ = try pack.merged(pack.one, to: "out") },
      { try unpack(pack.one, to: pack.folder.path + "/out") },
    ] {
      let error = #expect(throws: PackedError.self, performing: work)
      #expect(error?.rule == .carriedChecksum && error?.file == path)
      #expect(outputs == [])
    }
    try FileManager.default.removeItem(atPath: path)
    #expect(throws: PackedError.carriedMissing(path: path)) {
      try unpack(pack.one, to: pack.folder.path + "/out")
    }
  }

  /// A part must not become a whole, nor a mixture an output of one conversion.
  @Test func shardsThatDoNotMakeAWholeAreRefused() throws {
    #expect(throws: MergeError.oneShard(path: pack.shard(1), shardCount: 2)) {
      try pack.merged(pack.shard(1), to: "out")
    }
    let other = try SmallPack(seed: 77)
    try pack.folder.write(
      "two/" + SmallPack.shardName(2), other.folder.bytes("two/" + SmallPack.shardName(2)))
    let expected = PackedError.foreignShard(file: pack.shard(2), first: pack.shard(1))
    #expect(throws: expected) { try unpack(pack.two, to: pack.folder.path + "/out") }
    #expect(throws: expected) { try pack.merged(pack.two, to: "out") }
    #expect(throws: expected) { try Inspection(Checkpoint(path: pack.two)) }
    #expect(outputs == [])
  }

  /// One of several shards can still be read alone, under its own name.
  @Test func oneShardCanBeReadAlone() throws {
    try unpack(pack.shard(1), to: pack.folder.path + "/alone.safetensors")
    #expect(try validate(pack.shard(1)) == [])
    #expect(pack.folder.entries.contains("alone.safetensors"))
  }
}
