import Formats
import Foundation
import Stats
import Testing

@testable import Convert

/// The sample adapter, which was really trained, on the base it was trained on.
@Suite struct TrainedAdapterTests {
  /// Outputs of the merged matrices are those of base + adapter, in `Double` arithmetic on what is
  /// stored: to F32's rounding where biases are F32, to F16's where they are F16.
  @Test(arguments: [(ScaleType.f32, 0x1p-24), (.f16, 0x1p-11)] as [(ScaleType, Double)])
  func outputsAreThoseOfBaseAndAdapter(type: ScaleType, unit: Double) throws {
    let folder = try TemporaryFolder()
    var options = ConversionOptions.groups32
    options.scaleType = type
    try convert(AdapterFixture.samples + "/small", to: folder.path + "/base", options: options)
    let path = AdapterFixture.samples + "/adapter"
    let result = try merge(
      folder.path + "/base", [.init(path: path)], pooling: .mean, to: folder.path + "/merged")
    let base = try Checkpoint(path: folder.path + "/base")
    let merged = try Checkpoint(path: folder.path + "/merged")
    let adapter = try Checkpoint(path: path + "/adapter_model.safetensors")
    var generator = SplitMix64(seed: 5)
    for module in ["model.layers.0.mlp.down_proj", "model.layers.3.self_attn.v_proj"] {
      let a = try values("base_model.model.\(module).lora_A.weight", in: adapter).map(Double.init)
      let b = try values("base_model.model.\(module).lora_B.weight", in: adapter).map(Double.init)
      let before = try exactWeights(module, bits: 4, group: 32, in: base)
      let after = try exactWeights(module, bits: 4, group: 32, in: merged)
      let biases = try values(module + ".biases", in: merged)
      let columns = a.count / 8
      let inputs = columns * 32
      let x = (0..<inputs).map { _ in Double(generator.gaussian()) }
      // The authors' forward pass: average pooling, A, B, alpha / r = 16 / 8.
      let pooled = (0..<columns).map { group in x[group * 32..<group * 32 + 32].reduce(0, +) / 32 }
      let hidden = (0..<8).map { rank in
        (0..<columns).reduce(0.0) { $0 + a[rank * columns + $1] * pooled[$1] }
      }
      var moved = 0.0
      for row in 0..<b.count / 8 {
        let delta = 2 * (0..<8).reduce(0.0) { $0 + b[row * 8 + $1] * hidden[$1] }
        let expected = (0..<inputs).reduce(delta) { $0 + before[row * inputs + $1] * x[$1] }
        let found = (0..<inputs).reduce(0.0) { $0 + after[row * inputs + $1] * x[$1] }
        let bound = (0..<columns).reduce(1e-11) {
          $0 + unit * Double(abs(biases[row * columns + $1])) * 32 * abs(pooled[$1])
        }
        #expect(abs(found - expected) <= bound, "\(module) row \(row)")
        moved = max(moved, abs(delta))
      }
      #expect(moved > 0.05)
      for part in ["weight", "scales"] {
        let same = try base.bytes("\(module).\(part)") == merged.bytes("\(module).\(part)")
        #expect(same, "\(module).\(part)")
      }
    }
    #expect(result.probe.moduleCount == 28)
    #expect(result.probe.largestDifference <= result.probe.largestBound)
    #expect(result.rounding.largestInSteps < (type == .f32 ? 1e-5 : 0.05))
  }
}
