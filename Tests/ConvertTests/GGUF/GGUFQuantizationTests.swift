import Formats
import Foundation
import Model
import Testing

@testable import Convert

/// A llama whose rows are whole blocks of 32, but those of `down_proj`.
@Suite struct GGUFQuantizationTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static let config = """
    {"model_type": "llama", "hidden_size": 64, "num_attention_heads": 2, "num_key_value_heads": 1,
     "num_hidden_layers": 1, "intermediate_size": 40, "vocab_size": 3, "rms_norm_eps": 1e-5,
     "max_position_embeddings": 16, "tie_word_embeddings": true}
    """
  private static let queries = "model.layers.0.self_attn.q_proj.weight"

  private static let weights: [(name: String, shape: [Int], values: [Float])] = {
    let layer = "model.layers.0."
    let shapes: [(String, [Int])] = [
      ("model.embed_tokens.weight", [3, 64]), ("model.norm.weight", [64]),
      (layer + "input_layernorm.weight", [64]), (layer + "post_attention_layernorm.weight", [64]),
      (queries, [64, 64]), (layer + "self_attn.k_proj.weight", [32, 64]),
      (layer + "self_attn.v_proj.weight", [32, 64]), (layer + "self_attn.o_proj.weight", [64, 64]),
      (layer + "mlp.gate_proj.weight", [40, 64]), (layer + "mlp.up_proj.weight", [40, 64]),
      (layer + "mlp.down_proj.weight", [64, 40]),
    ]
    var noise = Noise(seed: 16)
    return shapes.map { name, shape in
      (name, shape, (0..<shape.reduce(1, *)).map { _ in Float(noise.bell()) })
    }
  }()

  private func source() throws -> String {
    let path = folder.path("source")
    if !FileStatus.exists(path) {
      try folder.makeFolder("source")
      try writeSafetensors(
        Self.weights.map { TestTensor(f32: $0.name, $0.shape, $0.values) },
        to: path + "/model.safetensors")
      try folder.write(Self.config, to: "source/config.json")
    }
    return path
  }

  private func convert(
    _ type: String, to name: String = "out.gguf", threads: Int = 2,
    meanSquares: [String: [Float]] = [:]
  ) throws -> GGUFFile {
    var options = ConversionOptions()
    let types = try #require(GGUFTypes(type))
    options.ggufTypes = types
    options.meanSquares = meanSquares
    let plan = try ConversionPlan(Checkpoint(path: source()), options: options, arrangement: .gguf)
    _ = try Conversion(plan, target: OutputTarget(path: folder.path(name), takesGGUF: true)).run(
      replacing: false, RunContext(threads: threads))
    return try GGUFFile(path: folder.path(name))
  }

  private func bytes(_ name: String, in file: GGUFFile) throws -> [UInt8] {
    let tensor = try #require(file.header.tensors.first { $0.name == name })
    var bytes = [UInt8](repeating: 0, count: tensor.byteCount)
    try file.read(0..<bytes.count, of: tensor, into: &bytes)
    return bytes
  }

  /// Blocks of 34 bytes: an F16 scale, and 32 signed bytes.
  private func decodedQ8(_ bytes: [UInt8]) -> [Double] {
    stride(from: 0, to: bytes.count, by: 34).flatMap { start in
      let scale = Float16(bitPattern: UInt16(bytes[start]) | UInt16(bytes[start + 1]) << 8)
      return bytes[start + 2..<start + 34].map { Double(scale) * Double(Int8(bitPattern: $0)) }
    }
  }

  /// As llama.cpp has queries: of each head, rows of the first half beside those of the second.
  private var pairedQueries: [Float] {
    let values = Self.weights.first { $0.name == Self.queries }!.values
    return (0..<64).flatMap { row in
      let (head, place) = (row / 32, row % 32)
      let from = head * 32 + place % 2 * 16 + place / 2
      return values[from * 64..<(from + 1) * 64]
    }
  }

  @Test func blocksDecodeToTheWeightsAndTheManifestSaysHowNear() throws {
    let file = try convert("Q8_0")
    let weights = pairedQueries.map { Double($0) }
    let decoded = try decodedQ8(bytes("blk.0.attn_q.weight", in: file))
    #expect(decoded.count == weights.count)
    let squared = zip(weights, decoded).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    let norm = weights.reduce(0) { $0 + $1 * $1 }
    // Steps of a 127th of the largest of 32 numbers, with an even error.
    #expect(squared / norm < 1e-4 && squared > 0)
    let text = try #require(file.header.value(Manifest.manifestKey)?.stringValue)
    let entry = try JSONValue(parsing: Array(text.utf8))["tensors"]?["blk.0.attn_q.weight"]
    #expect(entry?["layout"] == ["name": "blocks", "type": "Q8_0"])
    let recorded = try #require(entry?["error"])
    #expect(abs(try #require(recorded["squared_error"]?.doubleValue) / squared - 1) < 1e-6)
    #expect(abs(try #require(recorded["squared_norm"]?.doubleValue) / norm - 1) < 1e-6)
    let largest = zip(weights, decoded).map { abs($0 - $1) }.max() ?? 0
    #expect(abs(try #require(recorded["largest_error"]?.doubleValue) / largest - 1) < 1e-6)
  }

  @Test func rowsThatAreNoWholeBlocksGetShorterOnes() throws {
    let file = try convert("Q4_K_M")
    let types = Dictionary(
      uniqueKeysWithValues: file.header.tensors.map { ($0.name, $0.type) })
    // The embedding is the head; 64 inputs are two blocks of 32; 40 are none.
    #expect(types["token_embd.weight"] == .q8_0)
    #expect(types["blk.0.attn_q.weight"] == .q5_0)
    #expect(types["blk.0.ffn_down.weight"] == .f16)
    #expect(types["blk.0.attn_norm.weight"] == .f32)
    #expect(file.header.value("general.file_type") == .uint32(15))
  }

  @Test(arguments: ["Q8_0", "Q4_0", "Q5_1", "Q4_K_M"])
  func theFileDoesNotDependOnThreads(type: String) throws {
    let one = try convert(type, to: "one.gguf", threads: 1)
    let many = try convert(type, to: "many.gguf", threads: 5)
    #expect(try contents(of: one.path) == contents(of: many.path))
  }

  @Test func errorsCountWhatTheInputsAreKnownToBe() throws {
    // One input of each block of 32 is a hundred times as large as the others.
    let squares = (0..<64).map { $0 % 32 == 5 ? Float(10_000) : 1 }
    func error(_ file: GGUFFile) throws -> Double {
      let decoded = try decodedQ4(bytes("blk.0.attn_q.weight", in: file))
      return zip(pairedQueries, decoded).enumerated().reduce(0) { sum, pair in
        guard pair.offset % 32 == 5 else { return sum }
        let (weight, value) = pair.element
        return sum + (Double(weight) - value) * (Double(weight) - value)
      }
    }
    let plain = try error(convert("Q4_0", to: "plain.gguf"))
    let weighted = try error(
      convert("Q4_0", to: "weighted.gguf", meanSquares: [Self.queries: squares]))
    #expect(weighted < plain / 4)
  }

  /// Blocks of 18 bytes: an F16 scale, and the codes of weights 0 to 15 below those of 16 to 31.
  private func decodedQ4(_ bytes: [UInt8]) -> [Double] {
    stride(from: 0, to: bytes.count, by: 18).flatMap { start in
      let scale = Float16(bitPattern: UInt16(bytes[start]) | UInt16(bytes[start + 1]) << 8)
      let codes = bytes[start + 2..<start + 18]
      return (codes.map { $0 & 15 } + codes.map { $0 >> 4 }).map {
        Double(scale) * (Double($0) - 8)
      }
    }
  }
}
