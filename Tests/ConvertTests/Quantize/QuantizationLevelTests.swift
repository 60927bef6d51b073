import Formats
import TestSupport
import Testing

@testable import Convert

/// The kernels of every level that this processor has, against groups worked out one weight at a time.
@Suite struct QuantizationLevelTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let level: ProcessorLevel
    let elements: ScaleType
    let groupSize: Int
    var testDescription: String {
      "\(level.rawValue), \(elements.rawValue), groups of \(groupSize)"
    }

    static let all = ProcessorLevel.allCases.filter { $0 <= .highest }.flatMap { level in
      ScaleType.allCases.flatMap { elements in
        AffineLayout.allowedGroupSizes.map {
          Case(level: level, elements: elements, groupSize: $0)
        }
      }
    }

    /// Groups of many kinds: of these every type holds the numbers, and every scale type the results.
    func usual(_ count: Int) -> [Float] {
      var noise = Noise(seed: UInt64(groupSize))
      let float = NaiveFloat.named(elements.rawValue)
      return (0..<count * groupSize).map { index in
        let (kind, place) = (index / groupSize % 7, index % groupSize)
        var value = noise.bell() * 0.25
        switch kind {
        case 1: value = place == 5 ? 3 : value
        case 2: value = value.magnitude + 0.25
        case 3: value = -value.magnitude
        // Zeros of both signs as the smallest, and ties between codes.
        case 4: value = place == 0 ? -0.0 : Double(place % 8) * 0.125
        case 5: value = place % 8 == 0 ? value : 0
        case 6: value = (value * 8).rounded() / 8
        default: break
        }
        return Float(float.round(value))
      }
    }

    /// Of everything that needs care, beside a usual group.
    func special() -> [Float] {
      let tiny: Float = elements == .f16 ? 0x1p-24 : 0x1p-130
      let top = elements.largestFinite
      let patterns: [[Float]] = [
        [0], [-0.0, 0], [0, -0.0], [1], [-3, -3], [tiny], [tiny, -tiny, 0, 2 * tiny],
        [top, -top], [top, 0], [top], [-top, 1, 0.5], [0x1p-13, -0x1p-13, 0x1p-14],
        [65504, 65472], [1e-5, 2e-5, -1e-5], [1000, 1001, 1002, 1000.5],
        (0..<groupSize).map { Float($0) / 64 },
      ]
      let float = NaiveFloat.named(elements.rawValue)
      return patterns.flatMap { pattern in
        (0..<groupSize).map {
          let value = Float(float.round(Double(pattern[$0 % pattern.count])))
          return value.isFinite ? value : top
        }
      }
    }

    func bytes(_ weights: [Float]) -> [UInt8] {
      NaiveFloat.named(elements.rawValue).encode(weights.map { Double($0) })
    }

    func quantized(
      _ weights: [Float], bits: Int, _ type: ScaleType, _ method: QuantizationMethod,
      importance: [ImportanceRun] = []
    ) throws -> Output {
      let layout = try #require(AffineLayout(bits: bits, groupSize: groupSize))
      var quantizer = GroupQuantizer(
        layout: layout, method: method, scaleType: type, level: level)
      let groups = weights.count / groupSize
      var output = Output(
        codes: Array(repeating: 0, count: weights.count),
        scales: Array(repeating: 0, count: groups), biases: Array(repeating: 0, count: groups))
      let bytes = bytes(weights)
      let error = unsafe quantizer.quantize(
        bytes.span.bytes, as: elements, groupCount: groups, importance: importance,
        codes: &output.codes, scales: &output.scales, biases: &output.biases)
      output.figures = [error.squaredNorm, error.squaredError, error.largestError]
      return output
    }
  }

  struct Output: Equatable {
    var codes: [UInt8]
    var scales: [Float]
    var biases: [Float]
    var figures: [Double] = []
  }

  @Test(arguments: Case.all)
  func extremesAreThoseOfTheDefinition(_ test: Case) throws {
    let weights = test.usual(21)
    for type in ScaleType.allCases {
      for bits in AffineLayout.allowedBits {
        let found = try test.quantized(weights, bits: bits, type, .minmax)
        var figures = (norm: 0.0, error: 0.0, largest: 0.0)
        for group in found.scales.indices {
          let range = group * test.groupSize..<(group + 1) * test.groupSize
          let values = weights[range].map { Double($0) }
          let naive = NaiveGroup.minMax(values, bits: bits, type: .named(type.rawValue))
          let place = "\(bits) bits, \(type), group \(group)"
          #expect(Double(found.scales[group]) == naive.scale, "\(place)")
          #expect(Double(found.biases[group]) == naive.bias, "\(place)")
          #expect(found.codes[range].map { Int($0) } == naive.codes, "\(place)")
          figures.norm += values.reduce(0) { $0 + $1 * $1 }
          figures.error += naive.squaredError(values)
          figures.largest = max(figures.largest, naive.largestError(values))
        }
        // Sums of the same squares in another order.
        #expect(abs(found.figures[0] - figures.norm) <= 1e-13 * figures.norm)
        #expect(abs(found.figures[1] - figures.error) <= 1e-13 * figures.error)
        #expect(found.figures[2] == figures.largest)
      }
    }
  }

  /// Whatever the weights, they give what careful work on one group after the other gives.
  @Test(arguments: Case.all)
  func specialGroupsAreAsCarefulWorkHasThem(_ test: Case) throws {
    let weights = test.special() + test.usual(7)
    let bytes = test.bytes(weights)
    for type in ScaleType.allCases {
      for bits in AffineLayout.allowedBits {
        let found = try test.quantized(weights, bits: bits, type, .minmax)
        let layout = try #require(AffineLayout(bits: bits, groupSize: test.groupSize))
        var careful = CarefulQuantizer(layout: layout, scaleType: type, largestMove: 1.5)
        var expected = found
        expected.figures = [0, 0, 0]
        for group in found.scales.indices {
          let (parameters, error) = unsafe careful.quantize(
            bytes.span.bytes, as: test.elements, group, found: nil, isSearched: false,
            counting: nil, into: &expected.codes)
          (expected.scales[group], expected.biases[group]) = (parameters.scale, parameters.bias)
          expected.figures[0] += error.squaredNorm
          expected.figures[1] += error.squaredError
          expected.figures[2] = max(expected.figures[2], error.largestError)
        }
        #expect(found == expected, "\(bits) bits, \(type)")
        #expect(found.biases.map(\.sign) == expected.biases.map(\.sign))
      }
    }
  }

  /// A search is one search at every level, with every number of groups beside one another.
  @Test(arguments: Case.all.filter { $0.level != .baseline })
  func levelsFindTheSame(_ test: Case) throws {
    let lower = Case(level: .baseline, elements: test.elements, groupSize: test.groupSize)
    var noise = Noise(seed: 8)
    let values = (0..<3 * test.groupSize).map { _ in Float.random(in: 0.5...4, using: &noise) }
    let run = ImportanceRun(groups: 3..<24, values: values, firstInput: test.groupSize)
    let weights = test.special() + test.usual(14)
    for type in ScaleType.allCases {
      for bits in AffineLayout.allowedBits {
        for importance in [[], [run]] {
          let found = try test.quantized(weights, bits: bits, type, .search, importance: importance)
          let expected = try lower.quantized(
            weights, bits: bits, type, .search, importance: importance)
          #expect(found == expected, "\(bits) bits, \(type)")
        }
      }
    }
  }

  /// What a group becomes does not depend on the groups beside it.
  @Test(arguments: Case.all)
  func groupsAreQuantizedAlone(_ test: Case) throws {
    let weights = test.usual(11)
    for method in QuantizationMethod.allCases {
      let all = try test.quantized(weights, bits: 4, .bf16, method)
      for group in 0..<11 {
        let range = group * test.groupSize..<(group + 1) * test.groupSize
        let alone = try test.quantized(Array(weights[range]), bits: 4, .bf16, method)
        #expect(alone.scales == [all.scales[group]] && alone.biases == [all.biases[group]])
        #expect(alone.codes[...] == all.codes[range])
      }
    }
  }

  /// What decoded weights lose, where all count alike and where they do not.
  @Test(arguments: Case.all)
  func lossesAreSumsOfSquares(_ test: Case) throws {
    let groups = 9
    let weights = test.usual(groups)
    let decoded = weights.enumerated().map { $1 + Float($0 % 13) * 0.001 }
    var noise = Noise(seed: 8)
    let values = (0..<2 * test.groupSize).map { _ in Float.random(in: 0.5...4, using: &noise) }
    let run = ImportanceRun(groups: 2..<7, values: values, firstInput: test.groupSize)
    let bytes = test.bytes(weights)
    var figures: [Double] = []
    for importance in [[], [run]] {
      let found = unsafe QuantizationKernels.error(
        of: decoded, beside: bytes.span.bytes, test.elements, groupCount: groups,
        groupSize: test.groupSize, importance: importance, figures: &figures, level: test.level)
      var (norm, error, largest) = (0.0, 0.0, 0.0)
      for (index, weight) in weights.enumerated() {
        let (group, place) = index.quotientAndRemainder(dividingBy: test.groupSize)
        let isCounted = !importance.isEmpty && run.groups.contains(group)
        // The run begins with the second half of a row.
        let count = isCounted ? values[(group - 1) % 2 * test.groupSize + place] : 1
        let difference = Double(weight) - Double(decoded[index])
        norm += Double(count) * Double(weight) * Double(weight)
        error += Double(count) * difference * difference
        largest = max(largest, difference.magnitude)
      }
      #expect(abs(found.squaredNorm - norm) <= 1e-12 * norm)
      #expect(abs(found.squaredError - error) <= 1e-12 * error)
      #expect(found.largestError == largest)
    }
  }

  /// Also of groups that need care: what packed groups lose is what they lost when they were quantized.
  @Test(arguments: Case.all)
  func packedGroupsLoseWhatTheirNumbersSay(_ test: Case) throws {
    let weights = test.special() + test.usual(7)
    let bytes = test.bytes(weights)
    var figures: [Double] = []
    for type in ScaleType.allCases {
      for bits in AffineLayout.allowedBits {
        let layout = try #require(AffineLayout(bits: bits, groupSize: test.groupSize))
        let packed = try test.quantized(weights, bits: bits, type, .minmax)
        var groups = PackedGroups()
        (groups.codes, groups.scales, groups.biases) = (packed.codes, packed.scales, packed.biases)
        let found = unsafe QuantizationKernels.error(
          of: groups, layout, in: type, beside: bytes.span.bytes, test.elements,
          groupCount: packed.scales.count, figures: &figures, level: test.level)
        let place = "\(bits) bits, \(type)"
        #expect(
          [found.squaredNorm, found.squaredError, found.largestError] == packed.figures, "\(place)")
        let naive = packed.scales.indices.reduce(0.0) { sum, group in
          let range = group * test.groupSize..<(group + 1) * test.groupSize
          return sum
            + NaiveGroup(
              type: .named(type.rawValue), scale: Double(packed.scales[group]),
              bias: Double(packed.biases[group]), codes: packed.codes[range].map { Int($0) }
            ).squaredError(weights[range].map { Double($0) })
        }
        #expect(abs(found.squaredError - naive) <= 1e-12 * naive, "\(place)")
      }
    }
  }

  @Test(arguments: Case.all)
  func rangesLieBetweenTheExtremes(_ test: Case) {
    let weights = test.special() + test.usual(7)
    let count = weights.count / test.groupSize
    let bytes = test.bytes(weights)
    var squares: [Double] = []
    unsafe QuantizationKernels.squaredRanges(
      bytes.span.bytes, test.elements, groupCount: count, groupSize: test.groupSize,
      into: &squares, level: test.level)
    for group in 0..<count {
      let values = weights[group * test.groupSize..<(group + 1) * test.groupSize].map { Double($0) }
      let range = values.max()! - values.min()!
      let end = values.map(\.magnitude).max()!
      #expect(squares[group] == range * range + end * end / 65536, "group \(group)")
    }
  }

  /// Weights of 16 bits far from 0 have few values, so that many lie half way between two codes, and the
  /// two may lose very differently once they are rounded.
  @Test(arguments: [ScaleType.f16, .bf16], [ScaleType.f16, .bf16])
  func tiesDoNotMakeASearchWorseThanTheFormulas(_ elements: ScaleType, _ type: ScaleType) throws {
    let test = Case(level: .current, elements: elements, groupSize: 64)
    let (float, stored) = (NaiveFloat.named(elements.rawValue), NaiveFloat.named(type.rawValue))
    var noise = Noise(seed: 21)
    for offset in [0, 0.5, 2] {
      let weights = (0..<64 * 500).map { _ in Float(float.round(offset + noise.bell() * 0.03)) }
      for bits in [4, 5, 6, 8] {
        let found = try test.quantized(weights, bits: bits, type, .search)
        let worse = found.scales.indices.filter { group in
          let range = group * 64..<(group + 1) * 64
          let values = weights[range].map { Double($0) }
          let own = NaiveGroup(
            type: stored, scale: Double(found.scales[group]), bias: Double(found.biases[group]),
            codes: found.codes[range].map { Int($0) }
          ).squaredError(values)
          let others = [
            NaiveGroup.minMax(values, bits: bits, type: stored),
            NaiveGroup.mlx(values, bits: bits, type: stored),
          ]
          return others.contains { own > $0.squaredError(values) * (1 + 1e-12) }
        }
        #expect(worse.isEmpty, "\(bits) bits around \(offset): groups \(worse)")
      }
    }
  }
}
