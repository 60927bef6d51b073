import Formats
import Foundation

@testable import Convert

/// A small llama in a folder of its own: a source, and what was packed of it as one file and as two.
final class SmallPack {
  static let up = "model.layers.0.mlp.up_proj.weight"
  static let down = "model.layers.0.mlp.down_proj.weight"
  static let embedding = "model.embed_tokens.weight"
  static let norm = "model.norm.weight"

  let folder: TemporaryFolder
  var source: String { folder.path + "/source" }
  /// One file, in a directory.
  var one: String { folder.path + "/one" }
  var oneFile: String { one + "/model.safetensors" }
  /// Two shards.
  var two: String { folder.path + "/two" }
  func shard(_ number: Int) -> String { two + "/" + Self.shardName(number) }
  static func shardName(_ number: Int) -> String { "model-0000\(number)-of-00002.safetensors" }

  private static let first = Result<FolderContents, any Error> { try made(seed: 1) }

  init(seed: UInt64 = 1) throws {
    folder = try TemporaryFolder()
    try (seed == 1 ? Self.first.get() : Self.made(seed: seed)).write(to: folder.path)
  }

  private static func made(seed: UInt64) throws -> FolderContents {
    try FolderContents { try make(in: $0, seed: seed) }
  }

  private static func make(in folder: TemporaryFolder, seed: UInt64) throws {
    let source = folder.path("source")
    try folder.makeFolder("source")
    try writeSafetensors(
      [
        TestTensor(random: embedding, .bf16, [64, 64], seed: seed),
        TestTensor(random: up, .bf16, [96, 64], seed: seed + 1),
        // 96 inputs divide by 32 and not by 64.
        TestTensor(random: down, .bf16, [64, 96], seed: seed + 2),
        TestTensor(random: norm, .bf16, [64], seed: seed + 3),
      ], to: source + "/model.safetensors")
    try folder.write("source/config.json", Array(#"{"model_type": "llama"}"#.utf8))
    try folder.write("source/tokenizer.json", Array(#"{"vocabulary": 64}"#.utf8))
    try convert(source, to: folder.path("one"))
    var options = ConversionOptions()
    options.shardLimit = 6200
    try convert(source, to: folder.path("two"), options: options)
  }

  /// Writes an adapter that pools all inputs of a group of `up`, and merges it into `base`.
  func merged(_ base: String, to output: String) throws -> String {
    let adapter = folder.path + "/adapter"
    if !FileStatus.exists(adapter) {
      let module = Self.up.dropLast(".weight".count)
      try writeAdapter(
        [
          TestTensor("\(module).lora_A.weight", .f32, [2, 1], values: [0.25, -0.5]),
          TestTensor(
            "\(module).lora_B.weight", .f32, [96, 2],
            values: (0..<192).map { Float($0 % 7) / 8 }),
        ], to: adapter)
    }
    let path = folder.path + "/" + output
    try merge(base, [.init(path: adapter)], pooling: .mean, to: path)
    return path
  }

  func edit(
    _ path: String, sealing: Bool = true, _ change: (inout PackedEditor) throws -> Void
  ) throws {
    var editor = try PackedEditor(path)
    try change(&editor)
    try editor.write(sealing: sealing)
  }

  /// Changes the JSON document at `path`.
  func editDocument(_ path: String, _ change: (inout JSONValue) -> Void) throws {
    var document = try JSONValue(parsing: [UInt8](Data(contentsOf: URL(fileURLWithPath: path))))
    change(&document)
    try Data(document.prettyText.utf8).write(to: URL(fileURLWithPath: path))
  }

  /// Changes a file's bytes.
  func editBytes(_ path: String, _ change: (inout [UInt8]) -> Void) throws {
    var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    change(&bytes)
    try Data(bytes).write(to: URL(fileURLWithPath: path))
  }
}
