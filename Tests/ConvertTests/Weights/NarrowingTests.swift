import Formats
import Testing

@testable import Convert

/// Weights that the type they would be stored in cannot hold.
@Suite struct NarrowingTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try folder.makeFolder("source")
  }

  /// One weight of 2^17 among zeros; F16 ends at 65504.
  @Test(arguments: [("model.layers.0.mlp.up_proj.weight", "{}"), ("h.0.mlp.c_fc.weight", "gpt2")])
  func unpackingNamesTheFirstWeight(_ name: String, _ family: String) throws {
    try folder.write(
      "source/config.json", family == "{}" ? family : #"{"model_type": "gpt2"}"#)
    var values = [Float](repeating: 0, count: 32 * 64)
    values[3 * 64 + 5] = 131_072
    try writeSafetensors(
      [TestTensor(name, .bf16, [32, 64], values: values)],
      to: folder.path("source/model.safetensors"))
    var options = ConversionOptions()
    options.groupSize = 32
    try convert(
      folder.path("source"), to: folder.path("packed"), options: options, arrangement: .asStored)
    #expect {
      try unpack(folder.path("packed"), to: folder.path("plain"), type: .f16)
    } throws: { error in
      guard
        case .overflow(let file, let tensor, let index, let value, let type, let option)? =
          error as? ConversionError
      else { return false }
      return file == "model.safetensors" && tensor == name && index == 3 * 64 + 5
        && value > 65_504 && type == .f16 && option == "--dtype"
    }
    #expect(!folder.entries.contains { $0.hasPrefix("plain") })
    try unpack(folder.path("packed"), to: folder.path("plain"), type: .bf16)
  }

  /// 448 times 1000: the configuration's F16 cannot hold it, BF16 can.
  @Test func aKeptWeightMustFitItsType() throws {
    let name = "model.layers.0.mlp.up_proj.weight"
    var elements = [UInt8](repeating: 0, count: 32 * 64)
    elements[70] = 0x7E
    try writeSafetensors(
      [
        TestTensor(name, "F8_E4M3", [32, 64], bytes: elements),
        TestTensor(f32: name + "_scale", [1], [1000]),
      ], to: folder.path("source/model.safetensors"))
    var options = ConversionOptions()
    options.keep = [try NamePattern("*")]
    options.minimumCoverage = 0
    try folder.write("source/config.json", #"{"torch_dtype": "float16"}"#)
    #expect(
      throws: ConversionError.overflow(
        file: "model.safetensors", tensor: name, index: 70, value: 448_000, type: .f16, option: nil)
    ) { try convert(folder.path("source"), to: folder.path("kept"), options: options) }
    try folder.write("source/config.json", #"{"torch_dtype": "bfloat16"}"#)
    try convert(folder.path("source"), to: folder.path("kept"), options: options)
  }
}
