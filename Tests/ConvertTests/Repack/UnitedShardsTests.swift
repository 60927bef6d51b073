import Formats
import Testing

@testable import Convert

/// One file made of several shards holds what all of their manifests held.
@Suite struct UnitedShardsTests {
  @Test func aPlanIsOfAllShards() throws {
    let pack = try SmallPack()
    for number in [1, 2] {
      try pack.edit(pack.shard(number)) { $0.addPlan() }
    }
    let output = try pack.merged(pack.two, to: "tuned.safetensors")
    let manifest = try #require(PackedCheckpoint(Checkpoint(path: output)).manifests.first)
    let planned = manifest.plan?["tensors"]?.arrayValue?.compactMap { $0["name"]?.stringValue }
    #expect(
      Set(planned ?? []) == [SmallPack.embedding, SmallPack.up, SmallPack.down])
    #expect(planned?.count == 3)
    #expect(manifest.plan?["totals"] == ["tensor_bytes": 1])
    #expect(manifest.tensors.count == 4)
    #expect(manifest.sources.map(\.name) == ["model.safetensors"])
    #expect(manifest.options["group_size"] == 64)
    #expect(manifest.adapters?.merged.map(\.name) == ["adapter"])
    #expect(manifest.output?.shard == 1 && manifest.output?.shardCount == 1)
    #expect(manifest.output?.documents == [] && manifest.carried == [])
    #expect(try validate(output) == [])
  }

  @Test func mergeAndUndoRecordWhatTheirOutputsAre() throws {
    let pack = try SmallPack()
    let merged = try pack.merged(pack.two, to: "merged")
    let tuned = try PackedCheckpoint(Checkpoint(path: merged))
    let base = try PackedCheckpoint(Checkpoint(path: pack.two))
    #expect(base.manifests.map(\.output?.shard) == [1, 2])
    #expect(tuned.manifests.map(\.output?.shard) == [1, 2])
    #expect(tuned.manifests[0].output?.digest != base.manifests[0].output?.digest)
    #expect(tuned.carried == base.carried && base.carried.map(\.name) == ["tokenizer.json"])
    #expect(
      base.manifests[0].output?.documents.map(\.name)
        == ["config.json", "model.safetensors.index.json"])
    #expect(try validate(merged) == [])
    try undo(merged, to: pack.folder.path + "/undone")
    let files = pack.folder.entries.filter { $0.hasPrefix("two/") }
    #expect(files.count == 5)
    for file in files {
      #expect(
        try pack.folder.bytes("undone" + file.dropFirst(3)) == pack.folder.bytes(file), "\(file)")
    }
  }
}
