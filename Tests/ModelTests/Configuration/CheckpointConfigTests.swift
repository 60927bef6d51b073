import Formats
import Model
import TestSupport
import Testing

@Suite struct CheckpointConfigTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func checkpoint() throws -> Checkpoint {
    let tensor = TestTensor(f32: "a.weight", [1], [0])
    try writeSafetensors([tensor], to: folder.path("model.safetensors"))
    return try Checkpoint(path: folder.path)
  }

  @Test func theDocumentIsRead() throws {
    try folder.write("config.json", #"{"model_type": "llama", "hidden_size": 64}"#)
    let document: JSONValue = ["model_type": "llama", "hidden_size": 64]
    let config = try checkpoint().config
    #expect(config == ModelConfig(document: document))
    #expect(config?.document == document)
  }

  @Test func withoutADocumentThereIsNone() throws {
    #expect(try checkpoint().config == nil)
  }
}
