import Formats
import Foundation
import TestSupport
import Testing

/// Paths that people name where a checkpoint is meant.
@Suite struct NamedInsteadTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func expect(
    _ path: String, _ error: SourceError, hint: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(throws: error, sourceLocation: sourceLocation) { try Checkpoint(path: path) }
    #expect(error.hint == hint, sourceLocation: sourceLocation)
  }

  @Test func aGGUFFile() throws {
    let path = try folder.write(
      Array("GGUF".utf8) + [3, 0, 0, 0] + [UInt8](repeating: 0, count: 16), to: "a.gguf")
    let hint = "name the safetensors checkpoint that it was made from"
    expect(path, .gguf(path: path), hint: hint)
    expect(folder.path, .gguf(path: path), hint: hint)
  }

  @Test func aConfiguration() throws {
    let path = try folder.write(#"{"model_type": "llama"}"#, to: "config.json")
    expect(
      path, .notWeights(path: path, directory: folder.path),
      hint: "name the directory: \(folder.path)")
  }

  @Test func aFolderOfPickles() throws {
    try folder.write("{}", to: "config.json")
    try folder.write("", to: "pytorch_model.bin")
    expect(
      folder.path, .onlyPickles(directory: folder.path, name: "pytorch_model.bin"),
      hint: "convert it to safetensors first, with the framework that wrote it")
  }

  /// `refs/main` names the snapshot that was downloaded last.
  @Test func aFolderOfTheCache() throws {
    for name in ["blobs", "refs", "snapshots/1a", "snapshots/2b"] { try folder.makeFolder(name) }
    let second = folder.path("snapshots/2b")
    try folder.write("2b", to: "refs/main")
    expect(
      folder.path, .cacheFolder(directory: folder.path, snapshot: second), hint: "name \(second)")
    try folder.write("gone", to: "refs/main")
    let first = folder.path("snapshots/1a")
    expect(
      folder.path, .cacheFolder(directory: folder.path, snapshot: first), hint: "name \(first)")
  }

  @Test func nothingKnown() throws {
    try folder.write("notes.txt", "")
    expect(
      folder.path, .noWeights(directory: folder.path),
      hint: "name a .safetensors file, or a directory with model.safetensors or shards")
  }
}
