import Formats
import Foundation
import Stats
import Testing

@testable import Convert

@Suite struct GroupQuantizerTests {
  /// One golden file: all bits of one type and group size.
  static let files: [(ScaleType, Int)] = ScaleType.allCases.flatMap { type in
    AffineLayout.allowedGroupSizes.map { (type, $0) }
  }

  private func golden(_ type: ScaleType, _ groupSize: Int) throws -> Checkpoint {
    let name = "affine_\(type.rawValue.lowercased())_g\(groupSize)"
    return try Checkpoint(path: SharedFixture.path("mlx/\(name).safetensors"))
  }

  private func squaredError(_ a: [Float], _ b: [Float]) -> Double {
    zip(a, b).reduce(0) { sum, pair in
      let difference = Double(pair.0) - Double(pair.1)
      return sum + difference * difference
    }
  }

  private func isFinite(_ values: [Float]) -> Bool { values.allSatisfy(\.isFinite) }

  private func quantize(
    _ weights: [Float], _ layout: AffineLayout, _ method: QuantizationMethod, _ type: ScaleType
  ) -> (decoded: [Float], codes: [UInt8], scales: [Float], biases: [Float]) {
    var quantizer = GroupQuantizer(layout: layout, method: method, scaleType: type)
    let groups = weights.count / layout.groupSize
    var codes = [UInt8](repeating: 0, count: weights.count)
    var scales = [Float](repeating: 0, count: groups)
    var biases = scales
    _ = quantizer.quantize(
      weights, groupCount: groups, codes: &codes, scales: &scales, biases: &biases)
    var decoded = [Float](repeating: 0, count: weights.count)
    layout.dequantize(
      codes: codes, scales: scales, biases: biases, groupCount: groups, in: type, into: &decoded)
    return (decoded, codes, scales, biases)
  }

  @Test(arguments: files)
  func searchIsNeverWorseThanMLXOrMinMax(_ type: ScaleType, _ groupSize: Int) throws {
    let checkpoint = try golden(type, groupSize)
    let input = try values("input", in: checkpoint)
    for bits in AffineLayout.allowedBits {
      let layout = try #require(AffineLayout(bits: bits, groupSize: groupSize))
      let found = quantize(input, layout, .search, type).decoded
      let plain = quantize(input, layout, .minmax, type).decoded
      let mlx = try values("b\(bits).dequantized", in: checkpoint)
      // Group by group, not only in sum: the rows of zeros and constants must not hide.
      for start in stride(from: 0, to: input.count, by: groupSize) {
        let group = start..<start + groupSize
        let error = squaredError(Array(found[group]), Array(input[group]))
        #expect(
          error <= squaredError(Array(mlx[group]), Array(input[group])), "\(bits) bits, \(start)")
        #expect(error <= squaredError(Array(plain[group]), Array(input[group])))
      }
    }
  }

  @Test(arguments: files)
  func chosenMLXParametersAreMLXsOwn(_ type: ScaleType, _ groupSize: Int) throws {
    let checkpoint = try golden(type, groupSize)
    let input = try values("input", in: checkpoint)
    for bits in AffineLayout.allowedBits {
      let scales = try values("b\(bits).scales", in: checkpoint)
      let biases = try values("b\(bits).biases", in: checkpoint)
      for group in scales.indices {
        let (low, high) = GroupKernels.range(input.span, group * groupSize, groupSize)
        let own = GroupParameters(mlxMinimum: low, maximum: high, largestCode: 1 << bits - 1)
        #expect(type.round(own.scale) == scales[group], "\(bits) bits, group \(group)")
        #expect(type.round(own.bias) == biases[group], "\(bits) bits, group \(group)")
      }
    }
  }

  /// The group of algorithms.md, 1.5: codes of the uniform quantizer worked out by hand.
  /// alpha = (2 - -1) / 15 = 0.2, beta = -1; -0.5 lies at 2.5, a tie that goes to even.
  @Test func minMaxGivesTheCodesComputedByHand() throws {
    let layout = try #require(AffineLayout(bits: 4, groupSize: 32))
    let weights: [Float] = [-1, -0.5, 0.25, 2] + Array(repeating: 0, count: 28)
    let result = quantize(weights, layout, .minmax, .f32)
    #expect(result.scales == [3.0 / 15])
    #expect(result.biases == [-1])
    #expect(Array(result.codes.prefix(5)) == [0, 2, 6, 15, 5])
  }

  @Test(arguments: AffineLayout.allowedBits)
  func minMaxStaysWithinHalfAStep(_ bits: Int) throws {
    var generator = SplitMix64(seed: UInt64(bits))
    let layout = try #require(AffineLayout(bits: bits, groupSize: 64))
    let weights = (0..<64 * 200).map { _ in generator.gaussian() }
    let result = quantize(weights, layout, .minmax, .f32)
    for index in weights.indices {
      let step = result.scales[index / 64]
      #expect(
        abs(weights[index] - result.decoded[index]) <= step / 2 + 2e-6 * abs(weights[index]) + 1e-6)
    }
  }

  /// At 2 and 3 bits clipping pays: a decibel over both, on normal weights (algorithms.md, 1.9).
  @Test(arguments: [(2, 1.0), (3, 0.8)])
  func searchIsClearlyBetterAtFewBits(_ bits: Int, _ gain: Double) throws {
    var generator = SplitMix64(seed: 7)
    let layout = try #require(AffineLayout(bits: bits, groupSize: 64))
    let weights = (0..<64 * 400).map { _ in generator.gaussian() }
    let found = squaredError(quantize(weights, layout, .search, .f16).decoded, weights)
    let plain = squaredError(quantize(weights, layout, .minmax, .f16).decoded, weights)
    #expect(10 * log10(plain / found) > gain)
  }

  static let extremes: [(String, [Float])] = [
    ("zeros", [0, 0, 0, 0]), ("constant", [3, 3, 3, 3]),
    ("negative zero", [-0.0, 0, -0.0, 0]), ("subnormals", [6e-8, -6e-8, 1.2e-7, 0]),
    ("F16 limits", [65504, -65504, 65504, -65504]), ("F16 top", [65504, 0, 60000, 65504]),
    ("one large", [65504, 1, 2, 3]), ("all top", [65504, 65504, 65504, 65504]),
  ]

  @Test(arguments: extremes)
  func extremesComeBackFinite(_ name: String, _ pattern: [Float]) throws {
    let weights = (0..<64).map { pattern[$0 % 4] }
    for type in ScaleType.allCases {
      for bits in AffineLayout.allowedBits {
        for method in QuantizationMethod.allCases {
          let layout = try #require(AffineLayout(bits: bits, groupSize: 64))
          let result = quantize(weights, layout, method, type)
          #expect(isFinite(result.decoded), "\(name) \(bits) \(type) \(method)")
          #expect(isFinite(result.scales) && isFinite(result.biases))
          if Set(weights).count == 1, type != .bf16 { #expect(result.decoded == weights) }
        }
      }
    }
  }

  @Test(arguments: [ScaleType.bf16, .f32])
  func largestFiniteValuesOfWideTypesComeBackFinite(_ type: ScaleType) throws {
    let limit = type.largestFinite
    let layout = try #require(AffineLayout(bits: 2, groupSize: 32))
    for pattern in [[limit, -limit], [limit, 0], [limit, limit], [-limit, 1]] {
      let weights = (0..<32).map { pattern[$0 % 2] }
      for method in QuantizationMethod.allCases {
        let result = quantize(weights, layout, method, type)
        #expect(isFinite(result.decoded), "\(pattern) \(method)")
      }
    }
  }
}
