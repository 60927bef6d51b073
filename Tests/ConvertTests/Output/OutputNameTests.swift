import Convert
import Testing

@Suite struct OutputNameTests {
  @Test(arguments: [
    "Qwen3-0.6B-4bit", "llama-3.1", "llama-3.1-8B", "model.v2", "a.b/out", "/tmp/x.y.z", "out",
    "m.gguf/out", "model-4.25bpw", "model.safetensors", "x.4bit", "1.5", "name.",
  ])
  func ordinaryNames(_ path: String) throws {
    try OutputTarget(path: path).checkEnding()
  }

  @Test(arguments: [
    ("out.gguf", "gguf"), ("out.npz", "npz"), ("a/out.safetensor", "safetensor"),
    ("out.Safetensors", "Safetensors"), ("out.safetensros", "safetensros"), ("out.bin", "bin"),
    ("llama-3.1.pt", "pt"), ("out.json", "json"), ("out.PTH/", "PTH"),
  ])
  func namesOfOtherFiles(_ path: String, _ ending: String) {
    let target = OutputTarget(path: path)
    #expect(throws: OutputError.unknownEnding(path: target.path, ending: ending)) {
      try target.checkEnding()
    }
  }
}
