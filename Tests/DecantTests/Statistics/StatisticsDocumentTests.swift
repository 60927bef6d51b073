import Foundation
import Testing

@testable import decant

/// `decant stats --json`, read by Foundation's own parser.
@Suite struct StatisticsDocumentTests {
  private func document(_ arguments: String...) throws -> [String: Any] {
    let result = try runTool(builtProgram, ["stats"] + arguments + ["--json"])
    try #require(result.status == 0, "\(result.error)")
    return try #require(
      try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
  }

  private func tensor(_ name: String, _ document: [String: Any]) throws -> [String: Any] {
    let tensors = try #require(document["tensors"] as? [[String: Any]])
    return try #require(tensors.first { $0["name"] as? String == name })
  }

  private let common: Set = [
    "name", "kind", "role", "layer", "expert", "dtype", "shape", "count", "nan",
    "positive_infinity", "negative_infinity", "zeros", "subnormals", "min", "max", "absmax", "mean",
    "std", "rms", "skewness", "kurtosis", "crest_factor", "median_magnitude", "beyond_3_sigma",
    "beyond_6_sigma", "quantiles", "quantile_relative_error", "histogram", "sigma_histogram",
    "quantization",
  ]

  @Test func everyKindHasItsMembers() throws {
    let sample = try StatisticsSample()
    let found = try document(sample.path, "--kv", sample.dump, "--channels")
    #expect(found["kurtosis_convention"] as? String == "pearson")
    #expect(found["group_size"] as? Int == 64)
    #expect(found["method"] as? String == "minmax")
    // Weights and inputs have a line for what is outside the layers.
    #expect((found["layers"] as? [Any])?.count == 18)
    let weight = try tensor("model.layers.0.mlp.up_proj.weight", found)
    #expect(
      Set(weight.keys) == common.union(["input_channels", "output_channels", "every_channel"]))
    #expect(weight["kind"] as? String == "weight")
    #expect(weight["layer"] as? Int == 0)
    #expect(weight["shape"] as? [Int] == [32, 32])
    let activation = try tensor("model.layers.0.mlp.up_proj.input", found)
    #expect(
      Set(activation.keys)
        == common.union(["channels", "tokens", "outliers", "every_channel", "mean_square_sum"]))
    #expect(activation["kind"] as? String == "activation")
    let key = try tensor("layers.0.key", found)
    let cache = common.union(["channels", "tokens", "head_absmax", "every_channel"])
    #expect(Set(key.keys) == cache.union(["rope"]))
    #expect(key["role"] is NSNull)
    #expect((key["head_absmax"] as? [Any])?.count == 2)
    let value = try tensor("layers.0.value", found)
    #expect(Set(value.keys) == cache)
    #expect(value["kind"] as? String == "value")
  }

  @Test func countsAddUp() throws {
    let sample = try StatisticsSample(damaged: true)
    let weight = try tensor("model.layers.1.mlp.up_proj.weight", try document(sample.path))
    #expect(weight["nan"] as? Int == 1)
    #expect(weight["negative_infinity"] as? Int == 1)
    #expect(weight["count"] as? Int == 1024)
    let histogram = try #require(weight["histogram"] as? [String: Any])
    let counts = try #require(histogram["counts"] as? [Int])
    let zeros = try #require(histogram["zeros"] as? Int)
    #expect(zeros + counts.reduce(0, +) == 1022)
    #expect((histogram["edges"] as? [Double])?.count == counts.count + 1)
    let sigmas = try #require(weight["sigma_histogram"] as? [String: Any])
    let inside = try #require(sigmas["counts"] as? [Int]).reduce(0, +)
    let below = try #require(sigmas["below"] as? Int)
    let above = try #require(sigmas["above"] as? Int)
    #expect(below + inside + above == 1022)
    let quantiles = try #require(weight["quantiles"] as? [[String: Double]])
    #expect(quantiles.compactMap { $0["level"] } == [0.001, 0.01, 0.5, 0.99, 0.999, 0.9999])
  }

  @Test func whatIsLeftOutIsListed() throws {
    let sample = try StatisticsSample()
    let found = try document(
      sample.path, "--kv", sample.misfit, "--kv", sample.dump, "--keep-going")
    let problems = try #require(found["problems"] as? [[String: Any]])
    #expect(problems.count == 1)
    #expect((problems.first?["message"] as? String)?.contains("layers.4.key") ?? false)
  }

  @Test func importanceMatricesHaveTheirOwnPlace() throws {
    let sample = try StatisticsSample()
    let found = try document(sample.path, "--activations", try sample.importanceMatrix())
    let entries = try #require(found["importance"] as? [[String: Any]])
    #expect(entries.count == 1)
    #expect(entries.first?["sum"] as? Double == 496)
    #expect(entries.first?["weights"] as? [String] == ["model.layers.0.mlp.up_proj.weight"])
  }
}
