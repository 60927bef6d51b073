import Formats
import Foundation
import Testing

@testable import Convert

/// A QA-LoRA adapter that PEFT saved, merged into layers that MLX packed, against biases that were
/// computed in NumPy and against PEFT's own forward pass.
@Suite struct PoolingVectorTests {
  private static let modules = ["model.layers.0.self_attn.q_proj", "model.layers.0.mlp.down_proj"]
  private let folder: TemporaryFolder
  private let vectors: Checkpoint

  init() throws {
    folder = try TemporaryFolder()
    vectors = try Checkpoint(path: AdapterFixture.path("qalora_merge.safetensors"))
  }

  /// The adapter, made to look as if another program had saved it where that is asked for.
  private func adapter(_ pooling: PoolingConvention) throws -> String {
    let original = try AdapterFixture.path("peft_qalora_adapter")
    guard pooling != .peft else { return original }
    let path = folder.path + "/unmarked"
    try FileManager.default.copyItem(atPath: original, toPath: path)
    let config = try folder.bytes("unmarked/adapter_config.json")
    let text = String(decoding: config, as: UTF8.self)
      .replacing("\"use_qalora\": true", with: "\"use_qalora\": false")
    try folder.write("unmarked/adapter_config.json", Array(text.utf8))
    return path
  }

  private func writeBase(_ type: String) throws -> String {
    let layout = try #require(AffineLayout(bits: 4, groupSize: 32))
    try writePacked(
      Self.modules.map { module in
        (
          module, layout,
          try ["weight", "scales", "biases"].map {
            try vectors.testTensor("\(module).g32.\(type).\($0)", as: "\(module).\($0)")
          }
        )
      }, to: folder.path + "/base")
    return folder.path + "/base"
  }

  @Test(arguments: PoolingConvention.allCases, ["f16", "bf16"])
  func mergedBiasesAreThoseOfTheVectors(pooling: PoolingConvention, type: String) throws {
    let base = try writeBase(type)
    let adapter = try adapter(pooling)
    let chosen = pooling == .peft ? nil : pooling
    let vectorName = ["mean": "official_avg", "sum": "sum", "peft": "peft"][pooling.rawValue]!
    for biasType in [nil, ScaleType.f32] {
      let output = folder.path + "/merged-\(biasType?.rawValue ?? type)"
      try merge(base, [.init(path: adapter)], pooling: chosen, biasType: biasType, to: output)
      let merged = try Checkpoint(path: output)
      for module in Self.modules {
        let expected = try vectors.bytes(
          "\(module).g32.\(type).merged_biases.\(vectorName).\(biasType == nil ? type : "f32")")
        #expect(try merged.bytes("\(module).biases") == expected, "\(module)")
        for part in ["weight", "scales"] {
          let same =
            try merged.bytes("\(module).\(part)")
            == vectors.bytes("\(module).g32.\(type).\(part)")
          #expect(same, "\(module).\(part)")
        }
      }
      #expect(try validate(output) == [])
    }
  }

  /// Codes, scales and biases as written, multiplied with PEFT's inputs, against base + PEFT's own
  /// forward pass of the adapter.
  @Test func outputsAreThoseOfPEFT() throws {
    let base = try writeBase("f16")
    let output = folder.path + "/merged"
    try merge(base, [.init(path: try adapter(.peft))], biasType: .f32, to: output)
    for module in Self.modules {
      let before = try exactWeights(module, bits: 4, group: 32, in: Checkpoint(path: base))
      let after = try exactWeights(module, bits: 4, group: 32, in: Checkpoint(path: output))
      let inputs = try values("\(module).x", in: vectors)
      let delta = try values("\(module).peft_delta_y", in: vectors)
      let (columns, rows) = (inputs.count / 5, delta.count / 5)
      var largest = 0.0
      for sample in 0..<5 {
        for row in 0..<rows {
          let difference = (0..<columns).reduce(-Double(delta[sample * rows + row])) {
            $0 + (after[row * columns + $1] - before[row * columns + $1])
              * Double(inputs[sample * columns + $1])
          }
          largest = max(largest, abs(difference))
        }
      }
      // PEFT computes in F32, and the biases of about 0.1 are stored in it.
      #expect(largest < 2e-7, "\(module)")
      #expect(delta.contains { abs($0) > 0.01 })
    }
  }
}
