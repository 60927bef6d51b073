import Formats
import Foundation
import Testing

@testable import Convert

/// Files whose names and numbers are at the ends of their ranges.
@Suite struct ExtremeNumberTests {
  private func fixture(_ name: String) throws -> String {
    try #require(Bundle.module.resourcePath) + "/Fixtures/damage/" + name + ".safetensors"
  }

  /// Of layer 2^63 - 1: such a number is no index.
  @Test(arguments: ["plan_layer_overflow", "plan_layer_overflow_2", "plan_layer_overflow_small"])
  func aPlanCountsNoLayersThatCannotBe(_ name: String) throws {
    let plan = try ConversionPlan(Checkpoint(path: fixture(name)), options: ConversionOptions())
    let measured = try CandidateMeasurement(plan, options: CandidateOptions()).run(
      RunContext(threads: 1))
    #expect(measured.allSatisfy { $0.identity.layer == nil })
    #expect(measured.count == (name == "plan_layer_overflow_2" ? 1 : 0))
  }

  @Test func aDumpOfSuchALayerIsRefused() throws {
    let dump = try fixture("dump_layer_overflow")
    #expect(
      throws: DumpError.unknownName(file: dump, tensor: "layers.9223372036854775807.key")
    ) {
      try StatisticsRun(
        Checkpoint(path: fixture("dump_layer_overflow_model")), dumps: [dump],
        options: MeasureOptions())
    }
  }

  @Test(arguments: [("2147483647", 2_147_483_647), ("2147483648", nil), ("0", 0)])
  func aLayerIsBelowTwoToThe31(_ digits: String, _ layer: Int?) {
    #expect(TensorName("model.layers.\(digits).mlp.up_proj.weight").layer == layer)
  }

  /// Asking for each of many layers must not go through all members each time.
  @Test(.timeLimit(.minutes(1))) func longConfigurationsAreReadOnce() throws {
    var members = (0..<20_000).map { JSONValue.Member("unknown_\($0)", .integer($0)) }
    members += [
      .init("model_type", "llama"), .init("num_hidden_layers", 20_000),
      .init("num_attention_heads", 2), .init("head_dim", 32),
      .init("cross_attention_layers", .array((0..<20_000).map { .integer(2 * $0) })),
    ]
    let geometry = try CacheGeometry(
      config: ModelConfig(document: .object(members)), tensors: EmptyCollection())
    #expect(geometry.layers.count == 20_000)
    #expect(geometry.layers[0] == .none && geometry.layers[1] != .none)
  }
}
