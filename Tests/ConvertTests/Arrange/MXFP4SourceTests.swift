import Formats
import Foundation
import Testing

@testable import Convert

/// Weights in MXFP4 blocks, as gpt-oss has them.
@Suite struct MXFP4SourceTests {
  private let folder: TemporaryFolder
  private static let name = "model.layers.0.mlp.experts.down_proj"

  init() throws {
    folder = try TemporaryFolder()
    try folder.makeFolder("source")
    try folder.write(
      "source/config.json",
      #"{"model_type": "gpt_oss", "quantization_config": {"quant_method": "mxfp4"}}"#)
  }

  private func write(_ tensors: [TestTensor]) throws -> String {
    try writeSafetensors(tensors, to: folder.path("source/model.safetensors"))
    return folder.path("source")
  }

  /// mlx packs the same codes, in the same order, into words.
  private func golden() throws -> (blocks: [UInt8], scales: [UInt8], values: [Double]) {
    let file = try NaiveFile(path: SharedFixture.path("mlx/fp_modes_bf16.safetensors")).tensors
    return (
      try #require(file["mxfp4.weight"]).bytes, try #require(file["mxfp4.scales"]).bytes,
      try #require(file["mxfp4.dequantized"]).values
    )
  }

  /// Two experts of 8 outputs and 256 inputs.
  private func golden(_ file: (blocks: [UInt8], scales: [UInt8], values: [Double])) -> [TestTensor]
  {
    [
      TestTensor(Self.name + "_scales", .u8, [2, 8, 8], bytes: file.scales),
      TestTensor(Self.name + "_blocks", .u8, [2, 8, 8, 16], bytes: file.blocks),
      TestTensor("model.norm.weight", .bf16, [2], values: [1, 2]),
    ]
  }

  @Test func theirValuesAreThoseOfMLX() throws {
    let file = try golden()
    let checkpoint = try Checkpoint(path: write(golden(file)))
    let tensors = try checkpoint.sourceTensors()
    #expect(tensors.map(\.name) == [Self.name, "model.norm.weight"])
    #expect(tensors[0].shape == [2, 256, 8] && tensors[0].dtype == .bf16)
    let source = WeightSource(
      name: Self.name, file: "f", storage: try #require(tensors[0].packing))
    let tile = WeightTile()
    try source.read(0..<2 * 8 * 256, into: tile)
    #expect(file.values.count == 4096)
    #expect(tile.weights.prefix(4096).map(Double.init) == file.values)
  }

  @Test func theyAreConvertedWithoutBeingAsked() throws {
    let file = try golden()
    let source = try write(golden(file))
    var options = ConversionOptions()
    options.bits = 8
    options.groupSize = 32
    try convert(source, to: folder.path("packed"), options: options)
    #expect(try validate(folder.path("packed"), against: source) == [])
    let packed = try NaiveFile(path: folder.path("packed/model.safetensors")).tensors
    #expect(packed[Self.name + ".weight"]?.shape == [2, 8, 64])
    try unpack(folder.path("packed"), to: folder.path("plain"))
    let plain = try #require(
      try NaiveFile(path: folder.path("plain/model.safetensors")).tensors[Self.name])
    // As transformers decodes it: inputs first.
    #expect(plain.shape == [2, 256, 8] && plain.type == "BF16")
    let values = plain.values
    var (error, norm) = (0.0, 0.0)
    for place in 0..<4096 {
      let (expert, input, output) = (place / 8 / 256, place / 8 % 256, place % 8)
      let original = file.values[(expert * 8 + output) * 256 + input]
      error += (values[place] - original) * (values[place] - original)
      norm += original * original
    }
    #expect(error < norm * 0.001)
    let config = try JSONValue(parsing: folder.bytes("packed/config.json"))
    #expect(config["quantization_config"]?["quant_method"] == nil)
  }

  /// 2^128 is no number of the type.
  @Test func aScaleThatIsNoNumberIsNamed() throws {
    var file = try golden()
    file.scales[9] = 255
    let source = try write(golden(file))
    #expect {
      try convert(source, to: folder.path("packed"))
    } throws: { error in
      guard case .nonFinite(_, let tensor, let index, let value, _)? = error as? ConversionError
      else { return false }
      // Group 1 of output 1: input 32 comes first, in the order of the weight.
      return tensor == Self.name && index == 32 * 8 + 1 && value == "NaN"
    }
  }

  @Test(arguments: [
    ([2, 8, 8, 16], [2, 8, 4]), ([2, 8, 8, 8], [2, 8, 8]), ([16, 8, 16], [2, 8, 8]),
    ([2, 0, 8, 16], [2, 0, 8]),
  ]) func blocksWithoutTheirScalesAreRefused(_ blocks: [Int], _ scales: [Int]) throws {
    let source = try write([
      TestTensor(Self.name + "_blocks", .u8, blocks),
      TestTensor(Self.name + "_scales", .u8, scales),
    ])
    #expect(
      throws: PackedError.unknownPacking(
        file: source + "/model.safetensors", tensor: Self.name + "_blocks")
    ) { try ConversionPlan(Checkpoint(path: source), options: ConversionOptions()) }
  }

  /// A configuration that names the method for weights that are stored otherwise.
  @Test func withoutBlocksItIsAnotherMethod() throws {
    let source = try write([TestTensor("model.norm.weight", .bf16, [2], values: [1, 2])])
    #expect(throws: PlanError.alreadyQuantized(path: source, method: "mxfp4")) {
      try ConversionPlan(Checkpoint(path: source), options: ConversionOptions())
    }
  }
}
