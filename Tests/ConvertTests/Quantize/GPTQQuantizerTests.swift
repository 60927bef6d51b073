import Formats
import TestSupport
import Testing

@testable import Convert

/// What GPTQ makes of groups that a search found.
@Suite struct GPTQQuantizerTests {
  private static let inputs = 64
  private static let rows = 21
  private static let weights: [Float] = {
    var noise = Noise(seed: 3)
    return (0..<rows * inputs).map { _ in Float(noise.bell() * 0.05) }
  }()

  private struct Result {
    var groups = PackedGroups()
    var decoded = [Float](repeating: 0, count: rows * inputs)
  }

  private func search(_ quantizer: WeightQuantizer, _ importance: [Float]?) -> Result {
    let groupCount = Self.rows * Self.inputs / quantizer.layout.groupSize
    var search = GroupQuantizer(
      layout: quantizer.layout, method: .search, scaleType: quantizer.scaleType)
    var result = Result()
    result.groups.reserve(groupCount, groupSize: quantizer.layout.groupSize)
    _ = search.quantize(
      Self.weights, groupCount: groupCount,
      importance: importance.map {
        [ImportanceRun(groups: 0..<groupCount, values: $0, firstInput: 0)]
      } ?? [],
      codes: &result.groups.codes, scales: &result.groups.scales, biases: &result.groups.biases)
    decode(&result, quantizer)
    return result
  }

  private func decode(_ result: inout Result, _ quantizer: WeightQuantizer) {
    let layout = quantizer.layout
    layout.dequantize(
      codes: result.groups.codes, scales: result.groups.scales, biases: result.groups.biases,
      groupCount: Self.rows * Self.inputs / layout.groupSize, in: quantizer.scaleType,
      into: &result.decoded)
  }

  private func improve(
    _ found: Result, _ quantizer: WeightQuantizer, _ factors: GPTQFactors,
    level: ProcessorLevel = .current
  ) -> Result {
    var result = found
    var gptq = GPTQQuantizer(quantizer, level: level)
    gptq.improve(
      &result.groups, of: Self.weights, decoded: found.decoded, rows: Self.rows, factors)
    decode(&result, quantizer)
    return result
  }

  private func errors(_ result: Result, _ judge: NaiveGPTQ) -> [Double] {
    (0..<Self.rows).map { row in
      judge.weightedError(
        (row * Self.inputs..<(row + 1) * Self.inputs).map {
          Double(Self.weights[$0]) - Double(result.decoded[$0])
        })
    }
  }

  /// With more tokens than inputs, with fewer (the matrix then has no inverse but for its damping), and with one.
  @Test(arguments: [200, 20, 1], [2, 3, 4])
  func noRowLosesMoreThanBySearchAndAllTogetherLoseFarLess(tokens: Int, bits: Int) throws {
    let gram = GramMatrix(correlated: Self.inputs, tokens: tokens, seed: 7)
    let factors = try GPTQFactors(gram, of: "w", in: "grams")
    let judge = NaiveGPTQ(gram.rows, damping: 0.01, order: factors.order.map { Int($0) })
    for type in [ScaleType.f16, .bf16] {
      let quantizer = WeightQuantizer(
        layout: AffineLayout(bits: bits, groupSize: 32)!, scaleType: type, method: .gptq)
      let found = search(quantizer, factors.importance)
      let improved = improve(found, quantizer, factors)
      let (before, after) = (errors(found, judge), errors(improved, judge))
      for row in 0..<Self.rows { #expect(after[row] <= before[row] * (1 + 1e-6), "row \(row)") }
      #expect(after.reduce(0, +) < 0.6 * before.reduce(0, +), "\(type)")
    }
  }

  @Test func levelsGiveTheSameGroups() throws {
    let gram = GramMatrix(correlated: Self.inputs, tokens: 100, seed: 8)
    let factors = try GPTQFactors(gram, of: "w", in: "grams")
    let quantizer = WeightQuantizer(
      layout: AffineLayout(bits: 3, groupSize: 64)!, scaleType: .bf16, method: .gptq)
    let found = search(quantizer, nil)
    let results = [ProcessorLevel.baseline, .highest].map {
      improve(found, quantizer, factors, level: $0).groups
    }
    #expect(results[0].codes == results[1].codes)
    #expect(results[0].scales == results[1].scales)
    #expect(results[0].biases == results[1].biases)
    #expect(results[0].codes != found.groups.codes)
  }

  /// Where errors cannot make up for one another, what changes is the squared error, and it falls.
  @Test func withInputsThatHaveNothingToDoWithOneAnotherTheSquaredErrorFalls() throws {
    let factors = try GPTQFactors(
      GramMatrix(identity: Self.inputs), of: "w", in: "grams")
    let quantizer = WeightQuantizer(
      layout: AffineLayout(bits: 2, groupSize: 32)!, scaleType: .f32, method: .gptq)
    let found = search(quantizer, nil)
    let improved = improve(found, quantizer, factors)
    let judge = NaiveGPTQ(
      GramMatrix(identity: Self.inputs).rows, damping: 0, order: Array(0..<Self.inputs))
    let (before, after) = (errors(found, judge), errors(improved, judge))
    for row in 0..<Self.rows {
      #expect(after[row] <= before[row] * (1 + 1e-6) && after[row] >= 0.9 * before[row])
    }
  }

  @Test func matricesThatNoInputsHaveAreRefused() throws {
    let good = GramMatrix(correlated: 8, tokens: 30, seed: 1)
    func factors(_ edit: (inout [Float]) -> Void) throws -> GPTQFactors {
      var values = good.values
      edit(&values)
      return try GPTQFactors(
        GramMatrix(order: 8, tokenCount: 30, values: values), of: "w", in: "grams")
    }
    #expect(
      throws: GramError.impossible(file: "grams", tensor: "w", row: 2, column: 1, value: "nan")
    ) {
      try factors { $0[4] = .nan }
    }
    #expect(
      throws: GramError.impossible(file: "grams", tensor: "w", row: 2, column: 2, value: "-1.0")
    ) {
      try factors { $0[5] = -1 }
    }
    #expect(throws: GramError.notDefinite(file: "grams", tensor: "w", damping: 10)) {
      try factors { $0[3] = 1e9 }
    }
    // What damping mends is taken: an eigenvalue a little below 0.
    #expect(throws: Never.self) {
      try factors { values in
        for index in values.indices { values[index] = 1 }
        values[9] = 1 - 0x1p-6
      }
    }
  }

  @Test func inputsThatWereAlwaysZeroCountAlike() throws {
    let factors = try GPTQFactors(
      GramMatrix(order: 8, tokenCount: 5, values: Array(repeating: 0, count: 36)), of: "w",
      in: "grams")
    #expect(factors.feedback.allSatisfy { $0 == 0 })
    #expect(factors.importance == Array(repeating: 1, count: 8))
  }
}
