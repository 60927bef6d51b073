import Formats
import Foundation
import Testing

/// What is written to blocks: beside ggml's own results, what trying everything finds, and by hand.
@Suite struct BlockQuantizerTests {
  static let types = BlockLayoutTests.legacy + BlockLayoutTests.kTypes
  static let levels = ProcessorLevel.allCases.filter { $0 <= .highest }

  // MARK: - Errors

  /// Every row of the vectors as a tensor of its own.
  @Test(arguments: types)
  func errorsAreNoLargerThanThoseOfGGML(_ type: GGMLType) throws {
    let file = BlockLayoutTests.legacy.contains(type) ? "legacy" : "k"
    let vectors = try Fixture.open("gguf/blocks_\(file).safetensors")
    let input = try vectors.floats("input")
    let peer = try vectors.floats("\(type.name).dequantized")
    let own = try decoded(input, type)
    #expect(own.allSatisfy { $0.isFinite })
    for row in 0..<input.count / 256 {
      let range = row * 256..<(row + 1) * 256
      let ours = squaredError(input[range], own[range])
      let theirs = squaredError(input[range], peer[range])
      // Not a number where ggml's scale is infinite. Where both find the same, ties may fall otherwise.
      #expect(!(ours > theirs * (1 + 1e-5)), "row \(row): \(ours), not \(theirs)")
    }
  }

  @Test(arguments: [(GGMLType.q4_0, -8...7), (.q5_0, -16...15), (.q8_0, -127...127)])
  func scalesAreNearlyAsGoodAsTryingAll(_ type: GGMLType, _ codes: ClosedRange<Int>) throws {
    for isWeighted in [false, true] {
      let (weights, importance) = sample(count: 6 * 32, seed: isWeighted ? 1 : 2)
      let own = try decoded(weights, type, importance: isWeighted ? importance : [])
      var (ours, least) = (0.0, 0.0)
      for block in 0..<6 {
        let range = block * 32..<(block + 1) * 32
        let counts = range.map { isWeighted ? Double(importance[$0]) : 1 }
        let error = weightedError(weights[range], own[range], counts)
        let best = NaiveBlock.leastError(weights[range].map(Double.init), counts, codes: codes)
        #expect(error >= best * (1 - 1e-5), "nothing is better than the best")
        ours += error
        least += best
      }
      // With many codes the error has many minima.
      #expect(ours <= (type == .q8_0 ? 1.25 : 1.03) * least, "\(ours), at best \(least)")
    }
  }

  @Test(arguments: [(GGMLType.q4_1, 15), (.q5_1, 31)])
  func affineScalesAreNearlyAsGoodAsTryingMany(_ type: GGMLType, _ largestCode: Int) throws {
    for isWeighted in [false, true] {
      let (weights, importance) = sample(count: 3 * 32, seed: isWeighted ? 3 : 4)
      let own = try decoded(weights, type, importance: isWeighted ? importance : [])
      var (ours, least) = (0.0, 0.0)
      for block in 0..<3 {
        let range = block * 32..<(block + 1) * 32
        let counts = range.map { isWeighted ? Double(importance[$0]) : 1 }
        ours += weightedError(weights[range], own[range], counts)
        least += NaiveBlock.leastAffineError(
          weights[range].map(Double.init), counts, largestCode: largestCode, steps: 80)
      }
      #expect(ours <= 1.05 * least, "\(ours), not \(least)")
    }
  }

  /// What counts more is better off, and all of it together is.
  @Test(arguments: types)
  func errorsCountAsTheirInputsDo(_ type: GGMLType) throws {
    let (weights, importance) = sample(count: 512, seed: 5)
    let counts = importance.map(Double.init)
    let plain = try decoded(weights, type)
    let weighted = try decoded(weights, type, importance: importance)
    let (one, other) = (
      weightedError(weights[...], weighted[...], counts),
      weightedError(weights[...], plain[...], counts)
    )
    #expect(one < other)
    #expect(squaredError(weights[...], plain[...]) < squaredError(weights[...], weighted[...]))
  }

  /// Only ratios count, and nothing where there is nothing to compare.
  @Test(arguments: types)
  func importanceHasNoUnit(_ type: GGMLType) throws {
    let (weights, importance) = sample(count: 256, seed: 6)
    let bytes = try quantized(weights, type, importance: importance)
    for unit in [Float(0x1p-100), 0x1p60] {
      let scaled = try quantized(weights, type, importance: importance.map { $0 * unit })
      #expect(scaled == bytes, "\(unit)")
    }
    let none = try quantized(weights, type, importance: [Float](repeating: 0, count: 256))
    let plain = try quantized(weights, type)
    #expect(none == plain)
  }

  /// What has been quantized before is found again but for a small part of what was lost.
  @Test(arguments: types)
  func quantizedWeightsKeepTheirValues(_ type: GGMLType) throws {
    let (weights, _) = sample(count: 1024, seed: 7)
    let first = try decoded(weights, type)
    let second = try decoded(first, type)
    let lost = squaredError(weights[...], first[...])
    #expect(squaredError(first[...], second[...]) <= 0.1 * lost)
  }

  // MARK: - Special blocks

  /// Worked out by hand: halves from -4 to 3.5, which take all codes of a scale of 0.5.
  @Test func aBlockByHand() throws {
    let weights = (0..<32).map { Float($0 % 16) * 0.5 - 4 }
    let codes: [UInt8] = (0..<16).map { $0 | $0 << 4 }
    let bytes = try quantized(weights, .q4_0)
    #expect(bytes == [0x00, 0x38] + codes)
  }

  /// Worked out by hand: eight sub-blocks of Q4_K whose scales are 1 to 7 and 63 times 2^-6 and whose minima are
  /// none but the last's. Every code is taken.
  @Test func aSuperBlockByHand() throws {
    let scales: [Float] = [1, 2, 3, 4, 5, 6, 7, 63]
    let weights = scales.flatMap { scale in
      (0..<32).map { Float($0 % 16) * scale * 0x1p-6 - (scale == 63 ? 63 : 0) }
    }
    var expected: [UInt8] = [0x00, 0x24, 0x00, 0x3C]
    expected += [1, 2, 3, 4 | 3 << 6]
    expected += [0, 0, 0, 3 << 6]
    expected += [5, 6, 7, 15 | 15 << 4]
    for _ in 0..<4 { expected += (0..<32).map { UInt8($0 % 16) * 17 } }
    let bytes = try quantized(weights, .q4_K)
    #expect(bytes == expected)
  }

  /// Minima are taken off, so those of positive weights have another sign than those of negative ones.
  @Test(arguments: [GGMLType.q2_K, .q4_K, .q5_K])
  func positiveWeightsAreAsGoodAsNegativeOnes(_ type: GGMLType) throws {
    let weights = sample(count: 1024, seed: 11).weights.map { $0 * 0.25 + 4 }
    let mirrored = weights.map { -$0 }
    let above = try decoded(weights, type)
    let below = try decoded(mirrored, type)
    let (one, other) = (
      squaredError(weights[...], above[...]), squaredError(mirrored[...], below[...])
    )
    #expect(one <= 1.01 * other)
    // As good as that of the same weights about zero, or nearly: all sub-blocks have a minimum.
    let centered = weights.map { $0 - 4 }
    let around = try decoded(centered, type)
    #expect(one <= 1.3 * squaredError(centered[...], around[...]))
  }

  @Test(arguments: types)
  func zerosStayZeros(_ type: GGMLType) throws {
    for zero in [Float(0), -0.0, 1e-9, -Float.leastNonzeroMagnitude] {
      let decoded = try decoded([Float](repeating: zero, count: 256), type)
      #expect(decoded.allSatisfy { $0 == 0 })
    }
  }

  @Test(arguments: types)
  func constantsStayNearlyConstant(_ type: GGMLType) throws {
    for value in [Float(0.37), -0.37, 1e-3, -60000] {
      let decoded = try decoded([Float](repeating: value, count: 256), type)
      #expect(decoded.allSatisfy { abs($0 - value) <= 0.003 * abs(value) }, "\(value)")
    }
  }

  /// An outlier is kept, and none of the weights beside it becomes one.
  @Test(arguments: types)
  func oneOutlierIsKept(_ type: GGMLType) throws {
    var (weights, _) = sample(count: 256, seed: 8)
    weights[100] = 50
    let decoded = try decoded(weights, type)
    #expect(abs(decoded[100] - 50) < 2)
    #expect(decoded.indices.allSatisfy { $0 == 100 || abs(decoded[$0]) < 15 })
  }

  /// Scales below the normal numbers of F16, and at its end.
  @Test(arguments: types, [Float(0x1p-20), 0x1p-17, 2000, 0x1p30, 0x1p100])
  func scalesAreFinite(_ type: GGMLType, _ unit: Float) throws {
    let (weights, _) = sample(count: 256, seed: 9)
    let large = weights.map { $0 * unit }
    let decoded = try decoded(large, type)
    #expect(decoded.allSatisfy { $0.isFinite })
    let nothing = [Float](repeating: 0, count: 256)
    #expect(squaredError(large[...], decoded[...]) <= squaredError(large[...], nothing[...]))
  }

  // MARK: - One result

  @Test(arguments: types)
  func levelsAndTilesGiveTheSameBytes(_ type: GGMLType) throws {
    let (weights, importance) = sample(count: 2048, seed: 10)
    for counts in [[], Array(importance[..<1024])] {
      let whole = try quantized(weights, type, importance: counts, level: .baseline)
      for level in Self.levels {
        // Blocks one by one, as tiles that end anywhere would have them.
        let length = type.blockLength
        var pieces: [UInt8] = []
        for start in stride(from: 0, to: 2048, by: length) {
          pieces += try quantized(
            Array(weights[start..<start + length]), type, importance: counts,
            firstInput: start % 1024, level: level)
        }
        #expect(pieces == whole, "\(level)")
      }
    }
  }

  @Test func typesOfTablesAreNotWritten() {
    #expect(BlockLayoutTests.tables.allSatisfy { BlockQuantizer($0) == nil })
    #expect(BlockQuantizer(.f16) == nil && BlockQuantizer(.iq2_XS) == nil)
  }

  /// As llama.cpp's quantizer chooses.
  @Test func rowsThatDoNotFitTakeShorterBlocks() {
    let wanted: [GGMLType] = [.q2_K, .q3_K, .q4_K, .q5_K, .q6_K, .iq4_XS, .q4_1, .q8_0, .f32]
    func stored(_ inputs: Int) -> [GGMLType] { wanted.map { $0.fitting(inputs: inputs) } }
    #expect(stored(512) == wanted)
    #expect(
      stored(96) == [.q4_0, .q4_0, .q5_0, .q5_1, .q8_0, .iq4_NL, .q4_1, .q8_0, .f32])
    #expect(stored(100) == [GGMLType](repeating: .f16, count: 8) + [.f32])
  }

  // MARK: -

  /// Weights of a bell, with some far out, and what their inputs count.
  private func sample(count: Int, seed: UInt64) -> (weights: [Float], importance: [Float]) {
    var noise = Noise(seed: seed)
    return (
      (0..<count).map { Float(noise.bell() * ($0 % 37 == 5 ? 3 : 1)) },
      (0..<count).map { _ in Float(exp(noise.bell())) }
    )
  }

  private func quantized(
    _ weights: [Float], _ type: GGMLType, importance: [Float] = [],
    firstInput: Int = 0, level: ProcessorLevel = .current
  ) throws -> [UInt8] {
    let quantizer = try #require(BlockQuantizer(type, level: level))
    let count = weights.count / type.blockLength
    var bytes = [UInt8](repeating: 0xAA, count: count * type.blockByteCount)
    var scratch = BlockQuantizer.Scratch()
    quantizer.quantize(
      weights, blockCount: count, importance: importance, firstInput: firstInput,
      scratch: &scratch, into: &bytes)
    return bytes
  }

  private func decoded(
    _ weights: [Float], _ type: GGMLType, importance: [Float] = []
  ) throws -> [Float] {
    let bytes = try quantized(weights, type, importance: importance)
    let layout = try #require(BlockLayout(type))
    var groups = PackedGroups()
    let count = weights.count / type.blockLength
    layout.decode(bytes, groupCount: count, part: 0, into: &groups)
    var decoded = [Float](repeating: .nan, count: weights.count)
    layout.dequantize(groups, groupCount: count, into: &decoded)
    return decoded
  }

  private func squaredError(_ one: ArraySlice<Float>, _ other: ArraySlice<Float>) -> Double {
    weightedError(one, other, [Double](repeating: 1, count: one.count))
  }

  private func weightedError(
    _ one: ArraySlice<Float>, _ other: ArraySlice<Float>, _ counts: [Double]
  ) -> Double {
    zip(zip(one, other), counts).reduce(0) { sum, next in
      let difference = Double(next.0.0) - Double(next.0.1)
      return sum + next.1 * difference * difference
    }
  }
}
