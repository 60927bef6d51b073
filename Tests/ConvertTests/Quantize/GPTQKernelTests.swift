import Formats
import TestSupport
import Testing

@testable import Convert

/// GPTQ of sixteen rows at every level that this processor has, against the algorithm as it is published.
@Suite struct GPTQKernelTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let level: ProcessorLevel
    let order: ColumnOrder
    let type: ScaleType
    var testDescription: String { "\(level.rawValue), \(order), \(type.rawValue)" }

    static let all = ProcessorLevel.allCases.filter { $0 <= .highest }.flatMap { level in
      ColumnOrder.allCases.flatMap { order in
        ScaleType.allCases.map { Case(level: level, order: order, type: $0) }
      }
    }
  }

  private static let inputs = 64
  private static let rows = GPTQKernels.stripRows
  private static let layout = AffineLayout(bits: 3, groupSize: 32)!
  private static let gram = GramMatrix(correlated: inputs, tokens: 200, seed: 5)

  /// Sixteen rows, side by side as kernels take them, with parameters that some search found.
  private struct Strip {
    var weights = [Float](repeating: 0, count: inputs * rows)
    var codes = [Float](repeating: 0, count: inputs * rows)
    var residuals = [Float](repeating: 0, count: inputs * rows)
    var history = [Float](repeating: 0, count: inputs * rows)
    var scales = [Float](repeating: 0, count: inputs / 32 * rows)
    var biases = [Float](repeating: 0, count: inputs / 32 * rows)
    var room = [Float](repeating: 0, count: 96 * rows)
    var errors = [Double](repeating: 0, count: rows)
    let quantizer: WeightQuantizer

    init(_ type: ScaleType, seed: UInt64 = 1) {
      quantizer = WeightQuantizer(layout: layout, scaleType: type, method: .gptq)
      var noise = Noise(seed: seed)
      for index in weights.indices { weights[index] = Float(noise.bell() * 0.1) }
      for group in 0..<inputs / 32 {
        for lane in 0..<rows {
          let values = (0..<32).map { weights[(group * 32 + $0) * rows + lane] }
          let found = GroupParameters(
            minimum: values.min()! * 0.9, maximum: values.max()! * 0.9, largestCode: 7
          ).stored(as: type, largestCode: 7)
          scales[group * rows + lane] = found.scale
          biases[group * rows + lane] = found.bias
        }
      }
    }

    mutating func quantize(_ factors: GPTQFactors, _ level: ProcessorLevel) {
      GPTQKernels.quantize(
        weights, factors, scales: scales, biases: biases, quantizer, level: level,
        history: &history, codes: &codes, residuals: &residuals, errors: &errors)
    }

    mutating func measure(_ factors: GPTQFactors, _ level: ProcessorLevel) {
      GPTQKernels.weightedErrors(
        residuals, factors, level: level, history: &history, errors: &errors)
    }

    mutating func descend(_ factors: GPTQFactors, _ level: ProcessorLevel) {
      GPTQKernels.descend(
        weights, factors, quantizer, level: level, codes: &codes, scales: &scales,
        biases: &biases, residuals: &residuals, room: &room, errors: &errors)
    }

    func row(_ values: [Float], _ lane: Int) -> [Double] {
      (0..<inputs).map { Double(values[$0 * rows + lane]) }
    }

    /// What a code of a column of a row stands for, by the definition of the type.
    func decode(_ lane: Int, _ column: Int, _ code: Int) -> Double {
      let float = NaiveFloat.named(quantizer.scaleType.rawValue)
      let place = column / 32 * rows + lane
      return float.round(
        float.round(Double(code) * Double(scales[place])) + Double(biases[place]))
    }

    /// What the codes lose, worked out from nothing but codes and parameters.
    func naiveError(_ lane: Int, _ judge: NaiveGPTQ) -> Double {
      let decoded = row(codes, lane).enumerated().map { decode(lane, $0, Int($1)) }
      return judge.weightedError(zip(row(weights, lane), decoded).map { $0 - $1 })
    }
  }

  private func factors(_ order: ColumnOrder) throws -> (GPTQFactors, NaiveGPTQ) {
    let factors = try GPTQFactors(Self.gram, of: "w", in: "grams", order: order)
    let judge = NaiveGPTQ(Self.gram.rows, damping: 0.01, order: factors.order.map { Int($0) })
    return (factors, judge)
  }

  /// With scales in F32: in 16 bits what the nearest position on the line decodes to is not always the nearest
  /// value, which the judge takes.
  @Test(arguments: Case.all.filter { $0.type == .f32 })
  func codesAreThoseOfThePublishedAlgorithm(_ test: Case) throws {
    let (factors, judge) = try factors(test.order)
    var strip = Strip(test.type)
    strip.quantize(factors, test.level)
    for lane in 0..<Self.rows {
      let expected = judge.codes(strip.row(strip.weights, lane), largestCode: 7) {
        strip.decode(lane, $0, $1)
      }
      #expect(strip.row(strip.codes, lane).map { Int($0) } == expected, "row \(lane)")
    }
  }

  @Test(arguments: Case.all)
  func errorsAreWhatTheCodesLose(_ test: Case) throws {
    let (factors, judge) = try factors(test.order)
    var strip = Strip(test.type)
    strip.quantize(factors, test.level)
    for lane in 0..<Self.rows {
      let loss = strip.naiveError(lane, judge)
      #expect(abs(strip.errors[lane] - loss) <= 1e-4 * loss, "row \(lane)")
    }
    let errors = strip.errors
    strip.measure(factors, test.level)
    for lane in 0..<Self.rows {
      #expect(abs(strip.errors[lane] - errors[lane]) <= 1e-4 * errors[lane], "row \(lane)")
    }
  }

  @Test func channelsFallInTheOrderOfTheirEnergy() throws {
    let (factors, _) = try factors(.fallingEnergy)
    #expect(Set(factors.order.prefix(2)) == [7, 36])
    #expect(factors.order.last == 3)
    #expect(try self.factors(.natural).0.order == (0..<64).map { Int32($0) })
  }

  @Test(arguments: Case.all)
  func descentLowersTheErrorByWhatItSays(_ test: Case) throws {
    let (factors, judge) = try factors(test.order)
    var strip = Strip(test.type)
    strip.quantize(factors, test.level)
    let before = strip.errors
    strip.descend(factors, test.level)
    for lane in 0..<Self.rows {
      let loss = strip.naiveError(lane, judge)
      #expect(abs(strip.errors[lane] - loss) <= 1e-3 * loss, "row \(lane)")
      #expect(strip.errors[lane] <= before[lane], "row \(lane)")
    }
    #expect(strip.errors.reduce(0, +) < 0.95 * before.reduce(0, +))
  }

  @Test func nothingNearbyIsBetterThanWhereDescentEnds() throws {
    let (factors, judge) = try factors(.natural)
    var strip = Strip(.f32)
    strip.quantize(factors, .current)
    for _ in 0..<40 { strip.descend(factors, .current) }
    for lane in [0, 5, 15] {
      let least = strip.naiveError(lane, judge)
      for group in 0..<Self.inputs / 32 {
        let place = group * Self.rows + lane
        for change in [1.01, 0.99] as [Float] {
          var other = strip
          other.scales[place] *= change
          #expect(other.naiveError(lane, judge) > least, "row \(lane)")
          other.scales[place] = strip.scales[place]
          other.biases[place] += (change - 1) * 0.1
          #expect(other.naiveError(lane, judge) > least, "row \(lane)")
        }
      }
      for column in 0..<Self.inputs {
        for change in [-1, 1] as [Float] {
          var other = strip
          other.codes[column * Self.rows + lane] += change
          let isCode = (0...7).contains(other.codes[column * Self.rows + lane])
          #expect(!isCode || other.naiveError(lane, judge) > least, "row \(lane), \(column)")
        }
      }
    }
  }

  @Test func inputsThatHaveNothingToDoWithOneAnotherGiveNearestCodes() throws {
    let factors = try GPTQFactors(GramMatrix(identity: Self.inputs), of: "w", in: "grams")
    #expect(factors.feedback.allSatisfy { $0 == 0 })
    var strip = Strip(.f32)
    strip.quantize(factors, .current)
    for lane in 0..<Self.rows {
      for column in 0..<Self.inputs {
        let weight = Double(strip.weights[column * Self.rows + lane])
        let distances = (0...7).map { abs(strip.decode(lane, column, $0) - weight) }
        let code = Int(strip.codes[column * Self.rows + lane])
        #expect(distances[code] == distances.min())
      }
    }
  }

  @Test(arguments: ScaleType.allCases)
  func levelsGiveTheSameBits(_ type: ScaleType) throws {
    let (factors, _) = try factors(.fallingEnergy)
    var results: [Strip] = []
    for level in [ProcessorLevel.baseline, .highest] {
      var strip = Strip(type)
      strip.quantize(factors, level)
      strip.descend(factors, level)
      results.append(strip)
    }
    #expect(results[0].codes == results[1].codes)
    #expect(results[0].scales == results[1].scales)
    #expect(results[0].biases == results[1].biases)
    #expect(results[0].errors == results[1].errors)
  }

  /// A = L Lᵀ, of a matrix whose order is no multiple of what is done at once.
  @Test(arguments: ProcessorLevel.allCases.filter { $0 <= .highest })
  func factorTimesItsTransposeIsTheMatrix(_ level: ProcessorLevel) {
    let order = 20
    var noise = Noise(seed: 9)
    let root = (0..<order).map { _ in (0..<order).map { _ in noise.bell() } }
    var matrix: [Double] = []
    for row in 0..<order {
      for column in 0...row {
        matrix.append((0..<order).reduce(0) { $0 + root[row][$1] * root[column][$1] })
      }
    }
    var factor = matrix
    let isDefinite = GPTQKernels.factor(&factor, order: order, level: level)
    #expect(isDefinite)
    for row in 0..<order {
      for column in 0...row {
        let product = (0...column).reduce(0.0) {
          $0 + factor[row * (row + 1) / 2 + $1] * factor[column * (column + 1) / 2 + $1]
        }
        #expect(abs(product - matrix[row * (row + 1) / 2 + column]) < 1e-9)
      }
    }
    matrix[matrix.count - 1] -= 1e6
    let isStillDefinite = GPTQKernels.factor(&matrix, order: order, level: level)
    #expect(!isStillDefinite)
  }
}
