import Formats
import Testing

@testable import Convert

/// The search for scale and bias, against formulas and trying.
@Suite struct JudgedSearchTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let bits: Int
    let groupSize: Int
    let type: ScaleType
    var testDescription: String { "\(bits) bits, groups of \(groupSize), \(type.rawValue)" }

    static let all = AffineLayout.allowedBits.flatMap { bits in
      AffineLayout.allowedGroupSizes.flatMap { groupSize in
        ScaleType.allCases.map { Case(bits: bits, groupSize: groupSize, type: $0) }
      }
    }

    var float: NaiveFloat { .named(type.rawValue) }

    /// Groups of many kinds; every weight is a number that BF16 holds.
    func groups(_ count: Int) -> [[Double]] {
      var noise = Noise(seed: UInt64(bits * 1000 + groupSize))
      return (0..<count).map { kind in
        (0..<groupSize).map { index in
          var value = noise.bell() * 0.05
          switch kind % 6 {
          case 1: value = index == 5 ? 1 : value
          case 2: value = value.magnitude + 0.2
          case 3: value = Double.random(in: -1...0, using: &noise)
          case 4: value = value * value * value * 50
          case 5: value = index % 8 == 0 ? value : 0
          default: break
          }
          return NaiveFloat.bf16.round(value)
        }
      }
    }

    /// What decant makes of the groups.
    func searched(_ groups: [[Double]]) throws -> [NaiveGroup] {
      let layout = try #require(AffineLayout(bits: bits, groupSize: groupSize))
      var quantizer = GroupQuantizer(layout: layout, method: .search, scaleType: type)
      var codes = [UInt8](repeating: 0, count: groups.count * groupSize)
      var scales = [Float](repeating: 0, count: groups.count)
      var biases = scales
      _ = quantizer.quantize(
        groups.flatMap { $0.map { Float($0) } }, groupCount: groups.count, codes: &codes,
        scales: &scales, biases: &biases)
      return groups.indices.map { group in
        NaiveGroup(
          type: float, scale: Double(scales[group]), bias: Double(biases[group]),
          codes: codes[group * groupSize..<(group + 1) * groupSize].map { Int($0) })
      }
    }
  }

  @Test(arguments: Case.all)
  func neverLosesToAFormulaAndMovesNoWeightFar(_ test: Case) throws {
    let groups = test.groups(12)
    for (index, (weights, found)) in zip(groups, try test.searched(groups)).enumerated() {
      #expect(found.codes.allSatisfy { (0..<1 << test.bits).contains($0) }, "group \(index)")
      let error = found.squaredError(weights)
      let minMax = NaiveGroup.minMax(weights, bits: test.bits, type: test.float)
      let mlx = NaiveGroup.mlx(weights, bits: test.bits, type: test.float)
      // Sums of the same squares in another order may differ in their last digits.
      let margin = 1 + 1e-12
      #expect(error <= minMax.squaredError(weights) * margin, "min-max, group \(index)")
      #expect(error <= mlx.squaredError(weights) * margin, "MLX, group \(index)")
      let isMLX = found.scale == mlx.scale && found.bias == mlx.bias
      #expect(
        isMLX || found.largestError(weights) <= 1.5 * found.scale.magnitude, "group \(index)")
    }
  }

  /// Trying half a thousand scales and offsets finds groups that lose a little less: by a tenth on
  /// average at most.
  @Test(arguments: Case.all.filter { $0.groupSize == 32 && $0.bits < 5 && $0.type != .bf16 })
  func isNearTheBestThatTryingFinds(_ test: Case) throws {
    let groups = test.groups(3)
    let ratios = zip(groups, try test.searched(groups)).map { weights, found in
      let tried = NaiveGroup.bruteForce(
        weights, bits: test.bits, type: test.float, largestMove: 1.5)
      return found.squaredError(weights) / tried.squaredError(weights)
    }
    let average = ratios.reduce(0, +) / Double(ratios.count)
    #expect(average < 1.1, "\(ratios)")
  }
}
