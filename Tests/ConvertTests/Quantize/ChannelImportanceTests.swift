import Formats
import Foundation
import Stats
import Testing

@testable import Convert

@Suite struct ChannelImportanceTests {
  /// max(1, median / (4 · energy)), at most 4096; the median of five is 1.
  @Test func inferredImportanceIsTheFormula() {
    #expect(
      ChannelImportance.inferred(columnEnergies: [1, 1, 1 / 64, 2, 0.25]) == [1, 1, 16, 1, 1])
    #expect(ChannelImportance.inferred(columnEnergies: [1, 1, 0, 2, 1]) == [1, 1, 4096, 1, 1])
  }

  @Test func ordinaryColumnsCountAlike() {
    #expect(ChannelImportance.inferred(columnEnergies: [1, 0.3, 4, 1, 100]) == nil)
    #expect(ChannelImportance.inferred(columnEnergies: [0, 0, 0, 1]) == nil)
    #expect(ChannelImportance.inferred(columnEnergies: []) == nil)
  }

  @Test func measuredImportanceHasMeanOneAndAFloor() {
    #expect(ChannelImportance.measured(meanSquares: [2, 6]) == [0.5, 1.5])
    #expect(ChannelImportance.measured(meanSquares: [0, 8]) == [1e-3, 2])
    #expect(ChannelImportance.measured(meanSquares: [0, 0]) == nil)
    #expect(ChannelImportance.measured(meanSquares: [1, .infinity]) == nil)
  }

  // MARK: - A layer whose inputs have outlier channels

  private static let inputs = 256
  private static let outputs = 64
  private static let outliers: [Int: Float] = [5: 32, 77: 64, 170: 16, 233: 32]

  /// Weights of a layer, and the same layer in a model where some inputs are larger and the weights
  /// that read them as much smaller, by powers of two: the same function.
  private func layer(seed: UInt64, hasOutliers: Bool) -> [Float] {
    var generator = SplitMix64(seed: seed)
    return (0..<Self.outputs * Self.inputs).map { index in
      let factor = hasOutliers ? Self.outliers[index % Self.inputs] ?? 1 : 1
      return generator.gaussian() * 0.05 / factor
    }
  }

  /// Squared error of the layer's outputs over their square, for independent inputs of variance 1 but
  /// in the outlier channels.
  private func outputError(_ weights: [Float], _ decoded: [Float], hasOutliers: Bool) -> Double {
    var (error, norm) = (0.0, 0.0)
    for index in weights.indices {
      let size = Double(hasOutliers ? Self.outliers[index % Self.inputs] ?? 1 : 1)
      let weight = Double(weights[index]) * size
      let difference = weight - Double(decoded[index]) * size
      error += difference * difference
      norm += weight * weight
    }
    return error / norm
  }

  /// The weight as `convert` packs it, decoded again.
  private func packed(
    _ weights: [Float], bits: Int, options: ConversionOptions = ConversionOptions()
  ) throws -> [Float] {
    let folder = try TemporaryFolder()
    let tensor = TestTensor(
      "model.layers.0.mlp.up_proj.weight", .f32, [Self.outputs, Self.inputs], values: weights)
    try writeSafetensors([tensor], to: folder.path("model.safetensors"))
    var options = options
    options.bits = bits
    try convert(
      folder.path("model.safetensors"), to: folder.path("packed.safetensors"), options: options)
    try unpack(folder.path("packed.safetensors"), to: folder.path("plain.safetensors"))
    return try values(tensor.name, in: Checkpoint(path: folder.path("plain.safetensors")))
  }

  /// What MLX's own rule makes of it.
  private func mlx(_ weights: [Float], bits: Int) -> [Float] {
    var decoded = weights
    let largestCode = Float(1 << bits - 1)
    for start in stride(from: 0, to: weights.count, by: 64) {
      let group = weights[start..<start + 64]
      let parameters = GroupParameters(
        mlxMinimum: group.min()!, maximum: group.max()!, largestCode: Int(largestCode))
      for index in start..<start + 64 {
        let code = ((weights[index] - parameters.bias) / parameters.scale).rounded()
        decoded[index] =
          min(largestCode, max(0, code)) * parameters.scale + parameters.bias
      }
    }
    return decoded
  }

  /// MLX keeps zero as a code, and by that the small weights of outlier channels; a search for the
  /// plain squared error gives them away, and loses several times as much as MLX.
  @Test(arguments: [(2, 0.85), (3, 0.75), (4, 0.6)])
  func searchLosesLessThanMLXWhereInputsHaveOutliers(_ bits: Int, _ share: Double) throws {
    let weights = layer(seed: 11, hasOutliers: true)
    let found = outputError(weights, try packed(weights, bits: bits), hasOutliers: true)
    #expect(found < share * outputError(weights, mlx(weights, bits: bits), hasOutliers: true))
  }

  @Test(arguments: [2, 3, 4])
  func outliersCostLittleAgainstTheSameLayerWithoutThem(_ bits: Int) throws {
    let (plain, twin) = (layer(seed: 12, hasOutliers: false), layer(seed: 12, hasOutliers: true))
    let loss = outputError(plain, try packed(plain, bits: bits), hasOutliers: false)
    #expect(outputError(twin, try packed(twin, bits: bits), hasOutliers: true) < 1.6 * loss)
  }

  @Test func measuredInputsAreUsedWhereTheyAreKnown() throws {
    // Nothing in the weights tells of the large inputs.
    let weights = layer(seed: 13, hasOutliers: false)
    func error(_ options: ConversionOptions) throws -> Double {
      let decoded = try packed(weights, bits: 3, options: options)
      return outputError(weights, decoded, hasOutliers: true)
    }
    var options = ConversionOptions()
    options.meanSquares = [
      "model.layers.0.mlp.up_proj.weight": (0..<Self.inputs).map {
        pow(Self.outliers[$0] ?? 1, 2)
      }
    ]
    #expect(try error(options) < 0.5 * error(ConversionOptions()))
  }

  // MARK: - Wherever the matrix lies

  /// A matrix packs to the same bytes alone, as one of a stack, and stored with inputs first.
  @Test func importanceFollowsTheMatrix() throws {
    let folder = try TemporaryFolder()
    let matrices = [layer(seed: 21, hasOutliers: true), layer(seed: 22, hasOutliers: false)]
    let shape = [Self.outputs, Self.inputs]
    func parts(_ tensor: TestTensor, _ config: String, prefix: String) throws -> [[UInt8]] {
      let name = UUID().uuidString
      try folder.makeFolder(name)
      try writeSafetensors([tensor], to: folder.path(name + "/model.safetensors"))
      try folder.write(name + "/config.json", config)
      try convert(
        folder.path(name), to: folder.path(name + "-packed"), arrangement: .asStored)
      let packed = try Checkpoint(path: folder.path(name + "-packed"))
      return try ["weight", "scales", "biases"].map { part -> [UInt8] in
        let stored = try #require(packed.tensors.first { $0.name == prefix + part })
        var bytes = [UInt8](repeating: 0, count: stored.info.byteCount)
        try packed.read(0..<bytes.count, of: stored, into: &bytes)
        return bytes
      }
    }
    let mixtral = #"{"model_type": "qwen3_moe", "num_experts": 2}"#
    let stack = "model.layers.0.mlp.experts.down_proj"
    let alone = try matrices.map {
      try parts(
        TestTensor("model.layers.0.mlp.up_proj.weight", .f32, shape, values: $0),
        #"{"model_type": "llama"}"#, prefix: "model.layers.0.mlp.up_proj.")
    }
    let stacked = try parts(
      TestTensor(stack, .f32, [2] + shape, values: matrices[0] + matrices[1]), mixtral,
      prefix: stack + ".")
    for part in 0..<3 { #expect(stacked[part] == alone[0][part] + alone[1][part]) }

    let turned = (0..<Self.inputs * Self.outputs).map { index in
      matrices[0][index % Self.outputs * Self.inputs + index / Self.outputs]
    }
    let inputMajor = try parts(
      TestTensor(
        "transformer.h.0.mlp.c_fc.weight", .f32, [Self.inputs, Self.outputs], values: turned),
      #"{"model_type": "gpt2"}"#, prefix: "transformer.h.0.mlp.c_fc.")
    #expect(inputMajor == alone[0])
  }

  // MARK: - Many codes

  /// With 256 codes the error is a millionth of the sums that it could be computed from in `Float`.
  /// What the search finds must stay where exact arithmetic would go from there.
  @Test func eightBitsAreSearchedToTheLeastError() throws {
    var generator = SplitMix64(seed: 31)
    let layout = try #require(AffineLayout(bits: 8, groupSize: 64))
    var quantizer = GroupQuantizer(layout: layout, method: .search, scaleType: .f32)
    var (total, start) = (0.0, 0.0)
    for _ in 0..<200 {
      // Far from zero beside its spread, as a group's normalized weights are.
      let weights = (0..<64).map { _ in generator.gaussian() }
      var codes = [UInt8](repeating: 0, count: 64)
      var (scales, biases): ([Float], [Float]) = ([0], [0])
      _ = quantizer.quantize(
        weights, groupCount: 1, codes: &codes, scales: &scales, biases: &biases)
      total += exactError(weights, GroupParameters(scale: scales[0], bias: biases[0]))
      start += exactError(
        weights,
        GroupParameters(minimum: weights.min()!, maximum: weights.max()!, largestCode: 255))
    }
    #expect(total < 0.93 * start, "\(total / start)")
  }

  private func exactError(_ weights: [Float], _ parameters: GroupParameters) -> Double {
    weights.reduce(0) { sum, weight in
      let position = (Double(weight) - Double(parameters.bias)) / Double(parameters.scale)
      let code = min(255, max(0, position.rounded()))
      let difference =
        Double(weight) - (code * Double(parameters.scale) + Double(parameters.bias))
      return sum + difference * difference
    }
  }
}
