import Formats
import Testing

@Suite struct CheckpointTests {
  static let index = "model.safetensors.index.json"
  static let first = "model-00001-of-00002.safetensors"
  static let second = "model-00002-of-00002.safetensors"

  let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private var indexPath: String { directory.path(Self.index) }

  private func writeIndex(_ places: KeyValuePairs<String, String>) throws {
    let map = JSONValue.object(places.map { .init($0.key, .string($0.value)) })
    let json: JSONValue = ["metadata": [:], "weight_map": map]
    try directory.write(json.compactText, to: Self.index)
  }

  /// Two shards, `a` and `b` in the first, `c` in the second, and no index yet.
  private func writeShards() throws {
    try directory.write(shard("a", "b"), to: Self.first)
    try directory.write(shard("c"), to: Self.second)
  }

  private func expect(_ error: SourceError, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(throws: error, sourceLocation: sourceLocation) {
      try Checkpoint(path: directory.path)
    }
  }

  @Test func oneFileIsACheckpoint() throws {
    let path = try directory.write(shard("a", "b"), to: "any name")
    let checkpoint = try Checkpoint(path: path)
    #expect(checkpoint.tensors.map(\.name) == ["a", "b"])
    #expect(checkpoint.directory == nil)
    var byte: [UInt8] = [0]
    try checkpoint.read(0..<1, of: checkpoint.tensors[1], into: &byte)
    #expect(byte == [7])
  }

  @Test func shardsAndTheirIndexAreRead() throws {
    try writeShards()
    try writeIndex(["c": Self.second, "a": Self.first, "b": Self.first])
    try directory.write(#"{"model_type":"llama"}"#, to: "config.json")
    let checkpoint = try Checkpoint(path: directory.path)
    #expect(checkpoint.fileNames == [Self.first, Self.second])
    #expect(checkpoint.tensors.map(\.name) == ["a", "b", "c"])
    #expect(checkpoint.tensors.map { checkpoint.fileName(of: $0) }.last == Self.second)
    #expect(checkpoint.configDocument?.json["model_type"] == "llama")
    #expect(checkpoint.configPath == directory.path("config.json"))
  }

  @Test func shardsAreReadWithoutAnIndex() throws {
    try writeShards()
    #expect(try Checkpoint(path: directory.path).tensors.count == 3)
  }

  @Test func aDirectoryWithoutWeightsIsRefused() throws {
    try directory.write("{}", to: "config.json")
    expect(.noWeights(directory: directory.path))
  }

  @Test func aMissingShardIsNamed() throws {
    try directory.write(shard("a"), to: Self.first)
    try writeIndex(["a": Self.first, "c": Self.second])
    expect(.missingShards(index: indexPath, names: [Self.second]))
  }

  @Test func theNumberingTellsOfAMissingShard() throws {
    try directory.write(shard("c"), to: Self.second)
    expect(.missingShards(index: "the shards' numbering", names: [Self.first]))
  }

  @Test func anUnlistedShardIsNamed() throws {
    try writeShards()
    try writeIndex(["a": Self.first, "b": Self.first])
    expect(.unlistedShards(index: indexPath, names: [Self.second]))
  }

  @Test func aTensorInAnotherShardThanTheIndexSaysIsNamed() throws {
    try writeShards()
    try writeIndex(["a": Self.first, "b": Self.second, "c": Self.second])
    expect(
      .tensorElsewhere(index: indexPath, tensor: "b", listed: Self.second, found: Self.first))
  }

  @Test func aTensorThatOnlyTheIndexKnowsIsNamed() throws {
    try writeShards()
    try writeIndex(["a": Self.first, "b": Self.first, "c": Self.second, "d": Self.second])
    expect(.tensorMissing(index: indexPath, tensor: "d", listed: Self.second))
  }

  @Test func aTensorThatTheIndexLacksIsNamed() throws {
    try writeShards()
    try writeIndex(["a": Self.first, "c": Self.second])
    expect(.tensorUnlisted(index: indexPath, tensor: "b", found: Self.first))
  }

  @Test func aTensorInTwoShardsIsNamed() throws {
    try directory.write(shard("a", "b"), to: Self.first)
    try directory.write(shard("b"), to: Self.second)
    expect(.tensorTwice(tensor: "b", first: Self.first, second: Self.second))
  }

  @Test func twoSetsAreNotGuessedAt() throws {
    try directory.write(shard("a"), to: "model.safetensors")
    try directory.write(shard("a"), to: "consolidated.safetensors")
    expect(
      .severalSets(
        directory: directory.path, names: ["consolidated.safetensors", "model.safetensors"]))
  }

  @Test func tensorsThatAreNoModelMayLieBesideOne() throws {
    try directory.write(shard("a"), to: "model.safetensors")
    try directory.write(shard("b"), to: "reference-logits.safetensors")
    let checkpoint = try Checkpoint(path: directory.path)
    #expect(checkpoint.tensors.map(\.name) == ["a"])
  }

  @Test func aSetBesideAnIndexedOneIsNotGuessedAt() throws {
    try writeShards()
    try writeIndex(["a": Self.first, "b": Self.first, "c": Self.second])
    try directory.write(shard("a"), to: "model.safetensors")
    expect(.severalSets(directory: directory.path, names: [Self.index, "model.safetensors"]))
  }

  /// Mistral publishes its own form of the weights beside the one that the index names.
  @Test func theIndexTellsItsSetFromTheOriginalForm() throws {
    try writeShards()
    try writeIndex(["a": Self.first, "b": Self.first, "c": Self.second])
    try directory.write(shard("other"), to: "consolidated.safetensors")
    let checkpoint = try Checkpoint(path: directory.path)
    #expect(checkpoint.fileNames == [Self.first, Self.second])
    #expect(checkpoint.tensors.map(\.name) == ["a", "b", "c"])
  }

  @Test(arguments: [
    "../model.safetensors", "/etc/model.safetensors", "sub/model.safetensors", "..", ".", "",
    "model\0.safetensors",
  ])
  func anIndexCannotLeadOut(_ name: String) throws {
    try directory.write(shard("a"), to: "model.safetensors")
    try writeIndex(["a": name])
    expect(.leavesDirectory(path: indexPath, name: name))
  }

  @Test func aLinkOutOfTheDirectoryIsRefused() throws {
    let elsewhere = try TemporaryDirectory()
    let name = "model.safetensors"
    try directory.makeLink(name, to: elsewhere.write(shard("a"), to: "secret"))
    expect(.leavesDirectory(path: directory.path(name), name: name))
  }

  @Test func aLinkInsideTheDirectoryIsFollowed() throws {
    try directory.write(shard("a"), to: "blob")
    try directory.makeLink("model.safetensors", to: "blob")
    #expect(try Checkpoint(path: directory.path).tensors.map(\.name) == ["a"])
  }

  @Test func aDanglingLinkIsTold() throws {
    try directory.makeLink("model.safetensors", to: "gone")
    let path = directory.path("model.safetensors")
    #expect(throws: FileError.danglingLink(path: path)) { try Checkpoint(path: directory.path) }
  }

  /// `snapshots/<revision>` holds links into `blobs`, the directory beside it.
  @Test func theHuggingFaceCacheIsRead() throws {
    try directory.makeDirectory("blobs")
    try directory.makeDirectory("snapshots/main")
    try directory.write(shard("a"), to: "blobs/123abc")
    try directory.makeLink("snapshots/main/model.safetensors", to: "../../blobs/123abc")
    let checkpoint = try Checkpoint(path: directory.path("snapshots/main"))
    #expect(checkpoint.tensors.map(\.name) == ["a"])
    #expect(checkpoint.fileNames == ["model.safetensors"])
  }

  @Test func blobsServeOnlySnapshots() throws {
    try directory.makeDirectory("blobs")
    try directory.makeDirectory("copies/main")
    try directory.write(shard("a"), to: "blobs/123abc")
    let name = "model.safetensors"
    try directory.makeLink("copies/main/" + name, to: "../../blobs/123abc")
    let home = directory.path("copies/main")
    #expect(throws: SourceError.leavesDirectory(path: home + "/" + name, name: name)) {
      try Checkpoint(path: home)
    }
  }

  @Test(arguments: ["incomplete", "part", "crdownload", "aria2"])
  func anUnfinishedDownloadIsNamed(_ ending: String) throws {
    let partial = Self.second + "." + ending
    try directory.write(shard("a"), to: Self.first)
    try directory.write([0], to: partial)
    expect(.unfinishedDownload(path: directory.path(partial)))
  }

  @Test(arguments: [
    ("{", "the JSON ends early (byte 1)"), ("[]", "no object 'weight_map'"),
    (#"{"weight_map":[]}"#, "no object 'weight_map'"),
    (#"{"weight_map":{"a":1}}"#, "weight_map['a'] is not a file name"),
    (#"{"weight_map":{"a":"x","a":"y"}}"#, "name 'a' given twice in one object (byte 23)"),
  ])
  func aBrokenIndexIsRefused(_ text: String, _ reason: String) throws {
    try directory.write(shard("a"), to: "model.safetensors")
    try directory.write(text, to: Self.index)
    expect(.badIndex(path: indexPath, reason: reason))
  }

  @Test(arguments: [("[]", "not a JSON object"), ("{\"a\"}", "expected ':', found '}' (byte 4)")])
  func aBrokenConfigurationIsRefused(_ text: String, _ reason: String) throws {
    try directory.write(shard("a"), to: "model.safetensors")
    let path = try directory.write(text, to: "config.json")
    expect(.badConfig(path: path, reason: reason))
  }
}
