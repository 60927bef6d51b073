import Foundation
import Testing

@testable import Convert

/// Every digest of a manifest, as the judge makes it of the files.
@Suite struct JudgedDigestTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  #if DEBUG
    private static let threads = [3]
  #else
    private static let threads = [1, 3]
  #endif

  @Test(arguments: JudgedSource.all) func smallSources(_ source: JudgedSource) throws {
    let path = try source.write("source", in: folder)
    try folder.write("{}", to: "source/tokenizer.json")
    var options = ConversionOptions()
    options.minimumCoverage = 0
    try convert(path, to: folder.path("packed"), options: options)
    try check(sources: ["model.safetensors"])
  }

  /// Tensors of several tiles, which are whole blocks and are not, in shards, from two files. That
  /// threads make no difference to a file is also tested by itself.
  @Test(arguments: threads) func largeTensors(threads: Int) throws {
    try folder.makeFolder("source")
    func write(_ tensors: [TestTensor], _ number: Int) throws {
      try writeSafetensors(
        tensors, to: folder.path("source/model-0000\(number)-of-00002.safetensors"))
    }
    let tensors = [
      [
        TestTensor(repeating: "h.0.mlp.c_fc.weight", .f32, [64, 1100], seed: 1),
        TestTensor(repeating: "h.0.mlp.c_proj.weight", .bf16, [512, 544], seed: 2),
      ],
      [
        TestTensor(repeating: "wte.weight", .bf16, [384, 1024], seed: 3),
        TestTensor(repeating: "wpe.weight", .f32, [1100, 250], seed: 4),
      ],
    ]
    var map: [String] = []
    for (index, tensors) in tensors.enumerated() {
      try write(tensors, index + 1)
      map += tensors.map { "\"\($0.name)\": \"model-0000\(index + 1)-of-00002.safetensors\"" }
    }
    try folder.write(
      "{\"weight_map\": {\(map.joined(separator: ","))}}",
      to: "source/model.safetensors.index.json")
    try folder.write(#"{"model_type": "gpt2"}"#, to: "source/config.json")
    // More than a block of it.
    try folder.write(
      [UInt8](repeating: 7, count: 300_000), to: "source/merges.txt")
    var options = ConversionOptions()
    options.method = .minmax
    // A byte for a weight: more than a block of codes.
    options.bits = 8
    options.shardLimit = 1_000_000
    try convert(
      folder.path("source"), to: folder.path("packed"), options: options, threads: threads)
    try check(
      sources: ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"])
    #expect(try validate(folder.path("packed"), against: folder.path("source")) == [])
  }

  private func check(sources: [String]) throws {
    let names = folder.entries.filter { $0.hasPrefix("packed/") && $0.hasSuffix(".safetensors") }
    let files = try names.map { try NaiveFile(path: folder.path($0)) }
    let lines = try files.map(checkStored).joined()
    let sources = try sources.map { name in
      let path = folder.path("source/\(name)")
      return Recorded(
        file: name, byteCount: try contents(of: path).count,
        digest: NaiveDigest.source(try NaiveFile(path: path)))
    }
    let carried = ["merges.txt", "tokenizer.json"].filter {
      folder.entries.contains("source/\($0)")
    }
    let documents = folder.entries.filter { $0.hasPrefix("packed/") && $0.hasSuffix(".json") }
      .map { String($0.dropFirst("packed/".count)) }.filter { !carried.contains($0) }
    for file in files {
      let manifest = try file.manifest()
      let output = try #require(manifest["output"] as? [String: Any])
      #expect(output["digest"] as? String == NaiveDigest.blocks(Array(lines.utf8)))
      #expect(try Recorded.all(manifest["sources"]) == sources)
      #expect(try Recorded.all(manifest["carried"]) == carried.map { try whole("source/", $0) })
      #expect(try Recorded.all(output["documents"]) == documents.map { try whole("packed/", $0) })
    }
  }

  /// The lines that go into the digest of the output.
  private func checkStored(in file: NaiveFile) throws -> String {
    var lines = ""
    for (name, entry) in try file.manifestEntries().sorted(by: { $0.key < $1.key }) {
      let stored = try #require(entry["stored"] as? [String: String])
      let isPlain = (entry["layout"] as? [String: Any])?["name"] as? String == "plain"
      let module = name.hasSuffix(".weight") ? String(name.dropLast(7)) : name
      let parts = isPlain ? [name] : ["weight", "scales", "biases"].map { "\(module).\($0)" }
      #expect(stored.keys.sorted() == parts.sorted())
      for part in parts {
        let digest = NaiveDigest.blocks(try #require(file.tensors[part]).bytes)
        #expect(stored[part] == digest, "\(part)")
        lines += "\(part) \(digest)\n"
      }
      #expect(entry["zeroed"] as? Int == (isPlain ? nil : 0), "\(name)")
    }
    return lines
  }

  private func whole(_ folder: String, _ name: String) throws -> Recorded {
    let bytes = try self.folder.bytes(folder + name)
    return Recorded(file: name, byteCount: bytes.count, digest: NaiveDigest.blocks(bytes))
  }

  private struct Recorded: Equatable {
    let file: String
    let byteCount: Int
    let digest: String

    static func all(_ json: Any?) throws -> [Recorded] {
      try #require(json as? [[String: Any]]).map {
        Recorded(
          file: try #require($0["file"] as? String),
          byteCount: try #require($0["byte_count"] as? Int),
          digest: try #require($0["digest"] as? String))
      }
    }
  }
}
