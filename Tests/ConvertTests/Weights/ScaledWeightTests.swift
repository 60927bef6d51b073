import Formats
import Foundation
import Testing

@testable import Convert

/// 8-bit floats with scales, converted and unpacked. All stored elements are 1, so that a weight is
/// its scale.
@Suite struct ScaledWeightTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try folder.makeFolder("source")
  }

  private var source: String { folder.path("source") }

  /// Writes a weight of ones with a scale, and a plain matrix beside it.
  private func write(
    _ name: String, _ shape: [Int], scale suffix: String = "_scale", _ scaleShape: [Int],
    _ scales: [Float], config: String = "{}"
  ) throws {
    try folder.write("source/config.json", config)
    // 0x38 is 1 in E4M3.
    let ones = [UInt8](repeating: 0x38, count: shape.reduce(1, *))
    try writeSafetensors(
      [
        TestTensor(name, "F8_E4M3", shape, bytes: ones),
        TestTensor(f32: name + suffix, scaleShape, scales),
        TestTensor("model.layers.9.mlp.up_proj.weight", "BF16", [64, 64]),
      ], to: source + "/model.safetensors")
  }

  /// The weight after conversion and unpacking; with `keep` it is not packed in between.
  private func converted(_ name: String, keep: Bool = false) throws -> [Float] {
    var options = ConversionOptions()
    options.minimumCoverage = 0
    if keep { options.keep = [try NamePattern("*")] }
    let output = "packed\(keep)"
    try convert(source, to: folder.path(output), options: options)
    try unpack(folder.path(output), to: folder.path(output + "-plain"))
    return try values(name, in: Checkpoint(path: folder.path(output + "-plain")))
  }

  /// - Parameter weight: what the weight at an index is, as the element times the scale.
  private func expect(
    _ name: String, count: Int, sourceLocation: SourceLocation = #_sourceLocation,
    _ weight: (Int) -> Float
  ) throws {
    let expected = (0..<count).map(weight)
    let packed = try converted(name)
    #expect(packed == expected, sourceLocation: sourceLocation)
    let kept = try converted(name, keep: true)
    #expect(kept == expected, sourceLocation: sourceLocation)
  }

  private func expectMismatch(
    _ name: String, isInputMajor: Bool, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(sourceLocation: sourceLocation) {
      try ConversionPlan(Checkpoint(path: source), options: ConversionOptions())
    } throws: { error in
      guard case .scaleMismatch(let tensor, _, _, _, let found)? = error as? SourceError else {
        return false
      }
      return tensor == name && found == isInputMajor
    }
  }

  private static let gpt2 = #"{"model_type": "gpt2"}"#
  private static let conv1D = "h.0.mlp.c_fc.weight"

  // MARK: - Inputs before outputs

  @Test(arguments: [[64], [1, 64]]) func aScaleForEachOutputGoesByColumns(
    _ shape: [Int]
  ) throws {
    let scales = (0..<64).map { Float($0 - 20) / 4 }
    try write(Self.conv1D, [32, 64], shape, scales, config: Self.gpt2)
    try expect(Self.conv1D, count: 32 * 64) { Float($0 % 64 - 20) / 4 }
  }

  @Test(arguments: [[32], [32, 1]]) func aScaleForEachInputIsRefused(_ shape: [Int]) throws {
    try write(
      Self.conv1D, [32, 64], shape, [Float](repeating: 1, count: 32), config: Self.gpt2)
    expectMismatch(Self.conv1D, isInputMajor: true)
  }

  /// As many inputs as outputs: a plain list is one for each output, a column is not.
  @Test func aSquareMatrixTakesAListForItsOutputs() throws {
    let name = "h.0.attn.c_proj.weight"
    let scales = (0..<64).map { Float($0 + 1) }
    try write(name, [64, 64], [64], scales, config: Self.gpt2)
    try expect(name, count: 64 * 64) { Float($0 % 64 + 1) }
    try write(name, [64, 64], [64, 1], scales, config: Self.gpt2)
    expectMismatch(name, isInputMajor: true)
  }

  @Test func blocksGoByStoredRowsAndColumns() throws {
    try write(
      Self.conv1D, [256, 384], scale: "_scale_inv", [2, 3], [1, 2, 3, 4, 5, 6], config: Self.gpt2)
    try expect(Self.conv1D, count: 256 * 384) { index in
      let block = index / 384 / 128 * 3 + index % 384 / 128
      return Float(block + 1)
    }
  }

  // MARK: - Stacks and vectors

  private static let stack = "model.layers.0.mlp.experts.down_proj"

  @Test(arguments: [[2], [2, 1], [2, 1, 1]]) func aStackHasAScaleForEachExpert(
    _ shape: [Int]
  ) throws {
    try write(Self.stack, [2, 32, 64], shape, [0.5, -3])
    try expect(Self.stack, count: 2 * 32 * 64) { $0 < 32 * 64 ? 0.5 : -3 }
  }

  @Test func aStackHasAScaleForEachOutputOfAnExpert() throws {
    try write(Self.stack, [2, 32, 64], [2, 32, 1], (0..<64).map { Float($0) })
    try expect(Self.stack, count: 2 * 32 * 64) { Float($0 / 64) }
  }

  @Test func aStackHasAScaleForEachBlockOfAnExpert() throws {
    try write(Self.stack, [2, 256, 128], scale: "_scale_inv", [2, 2, 1], [1, 2, 3, 4])
    try expect(Self.stack, count: 2 * 256 * 128) { Float($0 / 128 / 128 + 1) }
  }

  /// Llama 4 stores stacks input-major; the scales stand over the outputs.
  @Test func aStackOfInputMajorExpertsHasItsScalesByColumns() throws {
    try write(
      Self.stack, [2, 32, 64], [2, 1, 64], (0..<128).map { Float($0) },
      config: #"{"model_type": "llama4"}"#)
    try expect(Self.stack, count: 2 * 32 * 64) { index in
      let expert = index / (32 * 64)
      return Float(expert * 64 + index % 64)
    }
  }

  @Test(arguments: [[3], [2, 64, 1], [32]]) func scalesOfNoStackAreRefused(_ shape: [Int]) throws {
    try write(
      Self.stack, [2, 32, 64], shape, [Float](repeating: 1, count: shape.reduce(1, *)))
    expectMismatch(Self.stack, isInputMajor: false)
  }

  @Test(arguments: [[], [1]]) func aVectorHasOneScale(_ shape: [Int]) throws {
    let name = "model.layers.0.input_layernorm.weight"
    try write(name, [5], shape, [2.5])
    try expect(name, count: 5) { _ in 2.5 }
  }

  // MARK: - compressed-tensors

  private func compressed(_ format: String, more: String = "", weights: String = "") -> String {
    """
    {"quantization_config": {"quant_method": "compressed-tensors", "format": "\(format)"\(more),
      "config_groups": {"group_0": {"targets": ["Linear"], "weights":
        {"num_bits": 8, "type": "float", "symmetric": true\(weights)}}}}}
    """
  }

  @Test func floatsOfCompressedTensorsAreRead() throws {
    let name = "model.layers.0.mlp.down_proj.weight"
    let config = compressed("float-quantized", weights: #", "strategy": "channel""#)
    try write(name, [32, 64], [32, 1], (0..<32).map { Float($0) / 8 }, config: config)
    try expect(name, count: 32 * 64) { Float($0 / 64) / 8 }
  }

  @Test func blocksHaveTheSizeThatTheConfigurationGives() throws {
    let name = "model.layers.0.mlp.down_proj.weight"
    let config = compressed(
      "float-quantized", weights: #", "strategy": "block", "block_structure": [32, 64]"#)
    try write(name, [64, 128], [2, 2], [1, 2, 3, 4], config: config)
    try expect(name, count: 64 * 128) { index in
      let block = index / 128 / 32 * 2 + index % 128 / 64
      return Float(block + 1)
    }
  }

  @Test(arguments: [
    ("pack-quantized", "", "", "pack-quantized"),
    ("float-quantized", "", #", "num_bits": 4"#, ""),
    (
      "float-quantized", #", "transform_config": {"config_groups": {"u": {"type": "hadamard"}}}"#,
      "", "transforms"
    ),
    (
      "float-quantized", #", "sparsity_config": {"format": "sparse-24-bitmask"}"#, "",
      "sparsity sparse-24-bitmask"
    ),
  ]) func otherKindsOfCompressedTensorsAreNamed(
    _ format: String, _ more: String, _ weights: String, _ words: String
  ) throws {
    let config = compressed(format, more: more, weights: weights).replacing(
      weights.isEmpty ? "none" : #""num_bits": 8, "#, with: "")
    try write("model.layers.0.mlp.down_proj.weight", [32, 64], [1], [1], config: config)
    let method =
      "compressed-tensors, " + (words.isEmpty ? "group 'group_0' without 8-bit floats" : words)
    #expect(throws: PlanError.alreadyQuantized(path: source, method: method)) {
      try ConversionPlan(Checkpoint(path: source), options: ConversionOptions())
    }
  }
}
