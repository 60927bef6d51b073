import Formats
import Foundation
import Testing

@testable import Convert

/// Packed files of version 1 are read, and what is made of them is of version 2.
@Suite struct FirstVersionTests {
  private let folder: TemporaryFolder
  /// A copy of the fixtures, to be changed.
  private var files: String { folder.path("version1") }
  private var adapter: String { files + "/adapter" }

  init() throws {
    folder = try TemporaryFolder()
    let fixtures = try #require(Bundle.module.resourcePath) + "/Fixtures/version1"
    try FileManager.default.copyItem(atPath: fixtures, toPath: files)
  }

  /// A packed checkpoint and how its source is packed in the same way.
  struct Pack: Sendable, CustomTestStringConvertible {
    let name: String
    let source: String
    let options: @Sendable (_ files: String) throws -> ConversionOptions
    var testDescription: String { name }

    static let all = [
      Pack(name: "transposed.safetensors", source: "sources/gpt2") { _ in
        var options = ConversionOptions()
        options.groupSize = 32
        options.method = .minmax
        options.nonFinite = .zero
        return options
      },
      Pack(name: "planned.safetensors", source: "sources/llama") { files in
        var options = ConversionOptions()
        options.plan = try BitPlan(path: files + "/plan.json")
        return options
      },
      shards,
    ]

    static let shards = Pack(name: "shards", source: "sources/llama") { _ in
      var options = ConversionOptions()
      options.groupSize = 32
      options.method = .minmax
      options.keep = [try NamePattern("*q_proj*")]
      options.shardLimit = 2500
      return options
    }
  }

  private func path(_ pack: Pack) -> String { files + "/" + pack.name }

  private func open(_ path: String) throws -> PackedCheckpoint {
    try PackedCheckpoint(Checkpoint(path: path))
  }

  /// Packs the source as `pack` was; of version 2, and otherwise the same.
  private func repeated(_ pack: Pack) throws -> String {
    let output = folder.path("new-" + pack.name)
    try convert(
      files + "/" + pack.source, to: output, options: pack.options(files), arrangement: .asStored)
    return output
  }

  /// The data of the weight files, without their headers.
  private func data(_ path: String) throws -> [[UInt8]] {
    try Checkpoint(path: path).files.map {
      Array(try contents(of: $0.path)[$0.header.dataOffset...])
    }
  }

  @Test(arguments: Pack.all) func isSound(_ pack: Pack) throws {
    let packed = try open(path(pack))
    #expect(packed.manifests.allSatisfy { $0.version == 1 })
    #expect(try validate(path(pack)) == [])
    #expect(try validate(path(pack), against: files + "/" + pack.source) == [])
  }

  @Test(arguments: Pack.all) func meansWhatVersionTwoMeans(_ pack: Pack) throws {
    let new = try repeated(pack)
    #expect(try data(new) == data(path(pack)))
    let (old, packed) = try (open(path(pack)), open(new))
    #expect(packed.manifests.allSatisfy { $0.version == 2 })
    for (first, second) in zip(old.tensors, packed.tensors) {
      let (first, second) = (first.entry, second.entry)
      #expect(first.name == second.name && first.layout == second.layout)
      #expect(first.method == second.method && first.order == second.order)
      #expect(first.sourceDType == second.sourceDType && first.sourceShape == second.sourceShape)
      #expect(first.error == second.error)
      #expect(first.stored.map(\.name) == second.stored.map(\.name))
    }
    #expect(try validate(new, against: files + "/" + pack.source) == [])
  }

  @Test(arguments: Pack.all) func unpacksAsVersionTwoDoes(_ pack: Pack) throws {
    try unpack(path(pack), to: folder.path("old-plain"))
    try unpack(repeated(pack), to: folder.path("new-plain"))
    let names = folder.entries.filter { $0.hasPrefix("old-plain/") }
    #expect(names.contains("old-plain/model.safetensors"))
    for name in names {
      #expect(
        try folder.bytes(name) == folder.bytes("new-plain/" + name.dropFirst("old-plain/".count)))
    }
  }

  @Test func mergeAndUndoGiveVersionTwo() throws {
    let base = path(.shards)
    try merge(base, [.init(path: adapter)], pooling: .mean, to: folder.path("merged"))
    try undo(folder.path("merged"), to: folder.path("undone"))
    try undo(files + "/merged", to: folder.path("undone-old"))
    #expect(try data(folder.path("merged")) == data(files + "/merged"))
    let names = ["merged", "undone", "undone-old"]
    for name in names {
      let packed = try open(folder.path(name))
      #expect(packed.manifests.allSatisfy { $0.version == 2 })
      #expect(packed.manifests.allSatisfy { $0.sources == (try? open(base))?.manifests[0].sources })
      #expect(packed.manifests[0].sources.map(\.digest.rule) == [.whole])
      #expect(try validate(folder.path(name)) == [])
    }
    for name in ["undone", "undone-old"] {
      #expect(try data(folder.path(name)) == data(base))
      #expect(try validate(folder.path(name), against: files + "/sources/llama") == [])
    }
    // But for the digest of the source it is what a conversion gives.
    let new = try open(repeated(.shards))
    let undone = try open(folder.path("undone"))
    for (var manifest, expected) in zip(undone.manifests, new.manifests) {
      manifest.sources = expected.sources
      #expect(manifest == expected)
    }
    for file in undone.checkpoint.fileNames + ["config.json", "tokenizer.json"] {
      #expect(try folder.bytes("undone/" + file) == folder.bytes("undone-old/" + file))
    }
  }

  @Test func aMergeIntoOneFileIsOfVersionTwo() throws {
    let output = folder.path("merged.safetensors")
    try merge(path(.shards), [.init(path: adapter)], pooling: .mean, to: output)
    let manifest = try #require(open(output).manifests.first)
    #expect(manifest.version == 2 && manifest.tensors.count == 5)
    #expect(manifest.tensors.allSatisfy { ($0.zeroedCount == 0) == ($0.name != SmallPack.norm) })
    #expect(try validate(output) == [])
  }

  @Test func theSourceOfAMergedPackIsStillKnown() throws {
    try merge(path(.shards), [.init(path: adapter)], pooling: .mean, to: folder.path("merged"))
    let source = files + "/sources/llama"
    func findings(_ path: String) throws -> [String] {
      try Validator(path: path).run(
        against: source, adapters: AdapterSet([.init(path: adapter)], pooling: .mean),
        RunContext(threads: 2)
      ).map(\.rule)
    }
    for packed in [files + "/merged", folder.path("merged")] {
      #expect(try findings(packed) == [])
    }
    // A header of the same tensors.
    var editor = try PackedEditor(source + "/model.safetensors")
    editor.header["__metadata__"]?["format"] = "np"
    try editor.write(keepingManifest: false)
    for packed in [files + "/merged", folder.path("merged")] {
      #expect(try findings(packed) == ["source"])
    }
  }

  /// A search that is no longer known cannot be repeated, and that is no finding about the file.
  @Test func anEarlierSearchIsNotTakenForThisOne() throws {
    for file in ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"] {
      var editor = try PackedEditor(files + "/merged/" + file)
      for entry in editor.manifest["tensors"]?.members ?? [] where entry.value["method"] != nil {
        editor.editEntry(entry.name, "method", "search")
      }
      try editor.write()
    }
    #expect(throws: MergeError.self) {
      try Validator(path: files + "/merged").run(
        against: files + "/sources/llama",
        adapters: AdapterSet([.init(path: adapter)], pooling: .mean), RunContext(threads: 2))
    }
    #expect(try validate(files + "/merged") == [])
  }

  @Test(arguments: ["transposed.safetensors", "planned.safetensors", "shards", "merged"])
  func aFlippedBitIsFound(_ name: String) throws {
    let path = files + "/" + name
    let weights = try Checkpoint(path: path).files.map(\.path)
    let others = name == "shards" ? ["/tokenizer.json"] : []
    let kept = name == "merged" ? ["/decant-unmerged.safetensors"] : []
    for file in weights + (others + kept).map({ path + $0 }) {
      let intact = try contents(of: file)
      for place in stride(from: 0, to: intact.count, by: max(1, intact.count / 40)) {
        var bytes = intact
        bytes[place] ^= 1 << UInt8(place % 8)
        try Data(bytes).write(to: URL(filePath: file))
        #expect(try validate(path) != [], "\(file): byte \(place)")
      }
      try Data(intact).write(to: URL(filePath: file))
    }
    #expect(try validate(path) == [])
  }

  @Test(arguments: ["shards", "merged"]) func damageIsNotPassedOn(_ name: String) throws {
    let path = files + "/" + name
    let file = path + "/model-00001-of-00002.safetensors"
    var bytes = try contents(of: file)
    bytes[bytes.count - 1] ^= 1
    try Data(bytes).write(to: URL(filePath: file))
    func rewrite() throws {
      if name == "merged" { return try undo(path, to: folder.path("out")) }
      try merge(path, [.init(path: adapter)], pooling: .mean, to: folder.path("out"))
    }
    for work in [rewrite, { try unpack(path, to: folder.path("out")) }] {
      let error = #expect(throws: PackedError.self, performing: work)
      #expect(error?.rule == .checksum && error?.file == file)
    }
  }
}
