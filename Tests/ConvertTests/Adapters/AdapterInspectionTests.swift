import Formats
import Foundation
import Testing

@testable import Convert

@Suite struct AdapterInspectionTests {
  /// The seven linear layers of LLaMA-7B: inputs and outputs.
  private static let llama7B = [
    ("self_attn.q_proj", 4096, 4096), ("self_attn.k_proj", 4096, 4096),
    ("self_attn.v_proj", 4096, 4096), ("self_attn.o_proj", 4096, 4096),
    ("mlp.gate_proj", 4096, 11008), ("mlp.up_proj", 4096, 11008), ("mlp.down_proj", 11008, 4096),
  ]

  /// An adapter of rank 64 for all 32 blocks, with a hole instead of numbers: nothing reads them.
  private func writeLlamaAdapter(group: Int, to directory: String) throws {
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    var tensors: [TestTensor] = []
    for layer in 0..<32 {
      for (module, inputs, outputs) in Self.llama7B {
        let name = "base_model.model.model.layers.\(layer).\(module)"
        tensors += [
          TestTensor(name + ".lora_A.weight", "F16", [64, inputs / group]),
          TestTensor(name + ".lora_B.weight", "F16", [outputs, 64]),
        ]
      }
    }
    let header = try safetensorsHeader(tensors)
    let path = directory + "/adapter_model.safetensors"
    try Data(header).write(to: URL(fileURLWithPath: path))
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try file.truncate(atOffset: UInt64(header.count + tensors.reduce(0) { $0 + $1.byteCount }))
    try file.close()
    try Data(#"{"peft_type": "LORA", "r": 64, "lora_alpha": 16}"#.utf8).write(
      to: URL(fileURLWithPath: directory + "/adapter_config.json"))
  }

  /// QA-LoRA, arXiv 2309.14717, table 2: 160 million parameters against 89.
  @Test(arguments: [(1, 159_907_840), (32, 89_309_184)])
  func parametersOfLlama7B(group: Int, parameters: Int) throws {
    let folder = try TemporaryFolder()
    try writeLlamaAdapter(group: group, to: folder.path + "/adapter")
    let inspection = AdapterInspection(try Adapter(path: folder.path + "/adapter"))
    #expect(inspection.adapter.parameterCount == parameters)
    #expect(inspection.modules.reduce(0) { $0 + $1.parameterCount } == parameters)
    #expect(inspection.modules.count == 224)
    #expect(inspection.modules.allSatisfy { $0.groupSize == group && $0.scaling == 0.25 })
    #expect(inspection.isPooled == (group > 1))
    #expect(inspection.pooling == nil)
  }

  @Test func kindsOfTheVectors() throws {
    func kinds(_ name: String) throws -> [AdapterInspection.Kind] {
      AdapterInspection(try Adapter(path: AdapterFixture.path(name))).modules.map(\.kind)
    }
    #expect(try kinds("dora") == [.dora, .dora])
    #expect(try kinds("lora_modules_to_save_bias") == [.replaced, .lora, .lora, .lora, .lora])
    #expect(try kinds("lora_embedding") == [.lora, .lora, .lora])
    #expect(try kinds("peft_qalora_adapter") == [.qalora, .qalora])
    let peft = AdapterInspection(try Adapter(path: AdapterFixture.path("peft_qalora_adapter")))
    #expect(peft.pooling == .peft)
    // rank_pattern and alpha_pattern: down_proj has 10 / 6, q_proj 3 / 4.
    #expect(peft.modules.map(\.scaling) == [10.0 / 6, 0.75])
  }
}
