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
}
