import Formats
import Foundation
import Model
import Testing

@testable import Convert

/// A llama of one layer, two heads of four features and one of keys, whose weights tell where they came from.
@Suite struct GGUFConversionTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static let config = """
    {"model_type": "llama", "hidden_size": 8, "num_attention_heads": 2, "num_key_value_heads": 1,
     "num_hidden_layers": 1, "intermediate_size": 4, "vocab_size": 3, "rms_norm_eps": 1e-5,
     "max_position_embeddings": 16, "tie_word_embeddings": false, "attention_bias": true}
    """

  /// Element `i` of row `r` is `100 r + i`.
  private func matrix(_ name: String, _ rows: Int, _ columns: Int) -> TestTensor {
    TestTensor(
      name, .f16, [rows, columns],
      values: (0..<rows * columns).map { Float(100 * ($0 / columns) + $0 % columns) })
  }

  private func vector(_ name: String, _ count: Int) -> TestTensor {
    TestTensor(name, .f16, [count], values: (0..<count).map { Float($0) })
  }

  private func tensors() -> [TestTensor] {
    let layer = "model.layers.0."
    return [
      matrix("model.embed_tokens.weight", 3, 8), matrix("lm_head.weight", 3, 8),
      vector("model.norm.weight", 8), vector(layer + "input_layernorm.weight", 8),
      vector(layer + "post_attention_layernorm.weight", 8),
      matrix(layer + "self_attn.q_proj.weight", 8, 8), vector(layer + "self_attn.q_proj.bias", 8),
      matrix(layer + "self_attn.k_proj.weight", 4, 8), vector(layer + "self_attn.k_proj.bias", 4),
      matrix(layer + "self_attn.v_proj.weight", 4, 8), vector(layer + "self_attn.v_proj.bias", 4),
      matrix(layer + "self_attn.o_proj.weight", 8, 8), vector(layer + "self_attn.o_proj.bias", 8),
      matrix(layer + "mlp.gate_proj.weight", 4, 8), matrix(layer + "mlp.up_proj.weight", 4, 8),
      matrix(layer + "mlp.down_proj.weight", 8, 4),
    ]
  }

  private func write(
    _ tensors: [TestTensor], config: String = config, to name: String = "source"
  ) throws -> String {
    try folder.makeFolder(name)
    try writeSafetensors(tensors, to: folder.path(name + "/model.safetensors"))
    try folder.write(config, to: name + "/config.json")
    return folder.path(name)
  }

  private func convert(
    _ source: String, _ type: ScaleType?, to name: String = "out.gguf", threads: Int = 2
  ) throws -> GGUFFile {
    var options = ConversionOptions()
    options.ggufTypes = type.flatMap { GGUFTypes("\($0)".uppercased()) }
    let plan = try ConversionPlan(Checkpoint(path: source), options: options, arrangement: .gguf)
    _ = try Conversion(plan, target: OutputTarget(path: folder.path(name), takesGGUF: true)).run(
      replacing: false, RunContext(threads: threads))
    return try GGUFFile(path: folder.path(name))
  }

  /// The first number of each row of an F32 tensor.
  private func firsts(_ name: String, in file: GGUFFile) throws -> [Float] {
    let tensor = try #require(file.header.tensors.first { $0.name == name })
    #expect(tensor.type == .f32)
    var bytes = [UInt8](repeating: 0, count: tensor.byteCount)
    try file.read(0..<bytes.count, of: tensor, into: &bytes)
    let step = 4 * (tensor.dimensions.count > 1 ? tensor.dimensions[0] : 1)
    return stride(from: 0, to: bytes.count, by: step).map { start in
      Float(
        bitPattern: (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[start + $1]) << (8 * UInt32($1)) }
      )
    }
  }

  @Test func rowsThatAreRotatedTogetherBecomeNeighbours() throws {
    let file = try convert(write(tensors()), .f32)
    // Head 0 has rows 0 to 3, of which 0 and 2, and 1 and 3 are pairs.
    let paired: [Float] = [0, 2, 1, 3, 4, 6, 5, 7]
    #expect(try firsts("blk.0.attn_q.weight", in: file) == paired.map { 100 * $0 })
    #expect(try firsts("blk.0.attn_q.bias", in: file) == paired)
    #expect(try firsts("blk.0.attn_k.weight", in: file) == [0, 200, 100, 300])
    #expect(try firsts("blk.0.attn_k.bias", in: file) == [0, 2, 1, 3])
    #expect(try firsts("blk.0.attn_v.weight", in: file) == [0, 100, 200, 300])
    #expect(try firsts("blk.0.attn_output.weight", in: file) == (0..<8).map { Float(100 * $0) })
  }

  @Test func vectorsAreF32AndMatricesWhatWasAskedFor() throws {
    let source = try write(tensors())
    for (type, stored, number) in [
      (ScaleType.f16, GGMLType.f16, UInt32(1)), (.bf16, .bf16, 32), (.f32, .f32, 0), (nil, .f16, 1),
    ] as [(ScaleType?, GGMLType, UInt32)] {
      let name = "\(type.map { "\($0)" } ?? "auto").gguf"
      let file = try convert(source, type, to: name)
      for tensor in file.header.tensors {
        #expect(tensor.type == (tensor.dimensions.count == 1 ? .f32 : stored), "\(tensor.name)")
      }
      #expect(file.header.value("general.file_type") == .uint32(number))
    }
  }

  @Test func theFileSaysWhatItWasMadeOf() throws {
    let source = try write(tensors())
    let file = try convert(source, .f16)
    let bytes = try contents(of: file.path)
    let data = try #require(file.header.tensors.map(\.dataRange.lowerBound).min())
    #expect(HeaderChecksum.isIntact(Array(bytes[..<data]), .gguf) == true)
    #expect(file.header.metadata.first?.key == "general.architecture")
    let text = try #require(file.header.value(Manifest.manifestKey)?.stringValue)
    let manifest = try JSONValue(parsing: Array(text.utf8))
    #expect(manifest["sources"]?.arrayValue?.first?["file"] == "model.safetensors")
    #expect(manifest["options"]?["type"] == "f16")
    for tensor in file.header.tensors {
      let entry = manifest["tensors"]?[tensor.name]
      #expect(
        entry?["stored"]?[tensor.name]?.stringValue
          == Digest(of: Array(bytes[tensor.dataRange])).hexDigits, "\(tensor.name)")
    }
    #expect(
      manifest["tensors"]?["blk.0.attn_k.weight"]?["source"]?["origin"]
        == [
          "name": "model.layers.0.self_attn.k_proj.weight", "shape": [4, 8],
          "rows": [
            [
              "first": 0,
              "loops": [
                ["count": 1, "step": 4], ["count": 2, "step": 1], ["count": 2, "step": 2],
              ],
            ]
          ],
        ])
  }

  @Test func theFileDoesNotDependOnThreads() throws {
    let source = try write(tensors())
    let one = try convert(source, nil, to: "one.gguf", threads: 1)
    let many = try convert(source, nil, to: "many.gguf", threads: 5)
    #expect(try contents(of: one.path) == contents(of: many.path))
  }

  @Test func whatHasNoPlaceIsRefusedBeforeAnythingIsWritten() throws {
    let tower = "vision_tower.patch_embed.weight"
    let source = try write(tensors() + [matrix(tower, 2, 2)])
    #expect(throws: GGUFModelError.noHome(tensor: tower, architecture: "llama")) {
      try convert(source, .f16)
    }
    let bias = "model.layers.0.mlp.up_proj.bias"
    let other = try write(tensors() + [vector(bias, 4)], to: "other")
    #expect(throws: GGUFModelError.noHome(tensor: bias, architecture: "llama")) {
      try convert(other, .f16)
    }
    let fewer = try write(Array(tensors().dropLast()), to: "fewer")
    #expect(
      throws: GGUFModelError.missingTensor(
        "model.layers.0.mlp.down_proj.weight", modelType: "llama")
    ) { try convert(fewer, .f16) }
    #expect(!FileStatus.exists(folder.path("out.gguf")))
  }

  @Test func frequenciesAndLayersBehindTheLastAreLeftOut() throws {
    let others = [
      vector("model.layers.0.self_attn.rotary_emb.inv_freq", 2),
      matrix("model.layers.1.mlp.up_proj.weight", 4, 8),
    ]
    let file = try convert(write(tensors() + others), .f16)
    #expect(file.header.tensors.count == tensors().count)
  }

  @Test func numbersThatF16CannotHoldAreRefused() throws {
    var tensors = tensors()
    tensors[0] = TestTensor(
      "model.embed_tokens.weight", .f32, [3, 8], values: .init(repeating: 1e6, count: 24))
    let source = try write(tensors)
    #expect(throws: ConversionError.self) { try convert(source, .f16) }
    #expect(!FileStatus.exists(folder.path("out.gguf")))
    #expect(try firsts("token_embd.weight", in: convert(source, .f32)) == [1e6, 1e6, 1e6])
  }
}
