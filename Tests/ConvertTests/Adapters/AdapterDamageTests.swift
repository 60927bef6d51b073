import Formats
import Foundation
import Stats
import Testing

@testable import Convert

/// Adapters come from strangers: whatever their bytes are, the answer is a result or an error.
@Suite struct AdapterDamageTests {
  /// Opens, settles and inspects an adapter against the base of the vectors.
  private func use(_ path: String) throws {
    let set = try AdapterSet([.init(path: path)], pooling: nil)
    var base: [String: MergeTarget] = [:]
    for (name, shape) in [
      ("self_attn.q_proj", [96, 128]), ("mlp.down_proj", [64, 256]),
    ] as [(String, [UInt64])] {
      let tensor = "model.layers.0.\(name).weight"
      base[tensor] = MergeTarget(name: tensor, shape: shape, order: .outputMajor)
    }
    _ = try set.record(set.updates(base: base))
    _ = AdapterInspection(set.members[0].adapter)
  }

  @Test(arguments: ["adapter_config.json", "adapter_model.safetensors"])
  func changedBytesGiveErrorsOrResults(name: String) throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/adapter"
    try FileManager.default.copyItem(
      atPath: AdapterFixture.path("peft_qalora_adapter"), toPath: path)
    let intact = try folder.bytes("adapter/" + name)
    try use(path)
    // Names, shapes and offsets stand in the first part; numbers follow.
    let length = min(intact.count, 1200)
    var generator = SplitMix64(seed: 11)
    var (errors, results) = (0, 0)
    #if DEBUG
      let rounds = 120
    #else
      let rounds = 600
    #endif
    for _ in 0..<rounds {
      var bytes = intact
      for _ in 0..<Int.random(in: 1...3, using: &generator) {
        bytes[Int.random(in: 0..<length, using: &generator)] =
          Bool.random(using: &generator)
          ? UInt8.random(in: 0...255, using: &generator)
          : UInt8(ascii: "0") + UInt8.random(in: 0...9, using: &generator)
      }
      if Bool.random(using: &generator), name.hasSuffix("json") {
        bytes.removeLast(Int.random(in: 0..<bytes.count, using: &generator))
      }
      try folder.write("adapter/" + name, bytes)
      do {
        try use(path)
        results += 1
      } catch {
        errors += 1
        let described = try #require(error as? any DescribedError)
        #expect(!described.message.isEmpty)
      }
    }
    #expect(errors > rounds / 6, "\(results) results")
  }
}
