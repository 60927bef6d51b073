import Formats
import Foundation
import Testing

@testable import Convert

/// Adapters name weights as the source does, whatever the output calls them.
@Suite struct ArrangedMergeTests {
  private let folder: TemporaryFolder
  private static let module = "gpt_neox.layers.0.attention.dense"
  private static let renamed = "model.h.0.attention.dense"

  init() throws {
    folder = try TemporaryFolder()
    try folder.makeFolder("source")
    try folder.write("source/config.json", #"{"model_type": "gpt_neox"}"#)
    try writeSafetensors(
      [NaiveTensor(Self.module + ".weight", [32, 64], seed: 1).test],
      to: folder.path("source/model.safetensors"))
    try adapter("pooled", inputs: 2)
    try adapter("dense", inputs: 64)
  }

  /// A pair of rank 2, on the module or on another.
  private func adapter(_ name: String, inputs: Int, module: String = module) throws {
    try writeAdapter(
      [
        NaiveTensor("\(module).lora_A.weight", [2, inputs], seed: 2).test,
        NaiveTensor("\(module).lora_B.weight", [32, 2], seed: 3).test,
      ], to: folder.path(name))
  }

  private func pack(
    _ source: String, _ adapter: String?, _ arrangement: TensorArrangement, to output: String
  ) throws -> [String: NaiveFile.Tensor] {
    var options = ConversionOptions()
    options.groupSize = 32
    options.minimumCoverage = 0
    let adapters = try adapter.map {
      try AdapterSet(
        [.init(path: folder.path($0))], pooling: $0 == "pooled" ? .mean : nil)
    }
    let plan = try ConversionPlan(
      Checkpoint(path: folder.path(source)), options: options, arrangement: arrangement,
      adapters: adapters)
    _ = try Conversion(plan, target: OutputTarget(path: folder.path(output))).run(
      replacing: false, RunContext(threads: 2))
    return try NaiveFile(path: folder.path(output + "/model.safetensors")).tensors
  }

  @Test(arguments: ["pooled", "dense"])
  func aRenamedWeightTakesItsAdapter(_ adapter: String) throws {
    let renamed = try pack("source", adapter, .mlx, to: "mlx")
    let stored = try pack("source", adapter, .asStored, to: "stored")
    let plain = try pack("source", nil, .mlx, to: "plain")
    for part in ["weight", "scales", "biases"] {
      #expect(renamed["\(Self.renamed).\(part)"]?.bytes == stored["\(Self.module).\(part)"]?.bytes)
    }
    #expect(
      renamed[Self.renamed + ".biases"]?.bytes != plain[Self.renamed + ".biases"]?.bytes)
  }

  @Test func aPackedOneTakesItAsWell() throws {
    let merged = try pack("source", "pooled", .mlx, to: "merged")
    _ = try pack("source", nil, .mlx, to: "base")
    try merge(
      folder.path("base"), [.init(path: folder.path("pooled"))], pooling: .mean,
      to: folder.path("later"))
    let later = try NaiveFile(path: folder.path("later/model.safetensors")).tensors
    #expect(
      later[Self.renamed + ".biases"]?.bytes == merged[Self.renamed + ".biases"]?.bytes)
    #expect(try validate(folder.path("later")) == [])
    try undo(folder.path("later"), to: folder.path("undone"))
    let undone = try NaiveFile(path: folder.path("undone/model.safetensors")).tensors
    let base = try NaiveFile(path: folder.path("base/model.safetensors")).tensors
    #expect(undone.mapValues(\.bytes) == base.mapValues(\.bytes))
  }

  /// Of a stack no part has biases of its own.
  @Test func aPartOfAStackIsRefusedByName() throws {
    let module = "model.layers.0.mlp.experts.1.up_proj"
    try folder.makeFolder("experts")
    try folder.write("experts/config.json", #"{"model_type": "qwen3_moe"}"#)
    try writeSafetensors(
      (0..<2).map {
        NaiveTensor("model.layers.0.mlp.experts.\($0).up_proj.weight", [32, 64], seed: $0).test
      }, to: folder.path("experts/model.safetensors"))
    try adapter("pooled-expert", inputs: 2, module: module)
    _ = try pack("experts", nil, .mlx, to: "base")
    let isExpected = { (error: any Error) -> Bool in
      guard case .cannotCombine(let tensor, let what)? = error as? MergeError else { return false }
      return tensor == module + ".weight" && what.contains("mlp.switch_mlp.up_proj")
    }
    #expect(
      performing: {
        try pack("experts", "pooled-expert", .mlx, to: "refused")
      }, throws: isExpected)
    #expect(
      performing: {
        try merge(
          folder.path("base"), [.init(path: folder.path("pooled-expert"))], pooling: .mean,
          to: folder.path("refused"))
      }, throws: isExpected)
  }
}
