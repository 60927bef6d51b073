import Formats
import Stats
import TestSupport
import Testing

@testable import Convert

@Suite struct GroupSampleTests {
  /// Squared ranges of very different sizes.
  private static func squares(_ count: Int) -> [Double] {
    var noise = Noise(seed: 3)
    return (0..<count).map { group in
      let size = 0.1 + noise.bell().magnitude
      return group % 97 == 5 ? 400 + size : size * (group % 3 == 0 ? 2 : 1)
    }
  }

  /// Whatever each group loses, samples of many tiles add up to what all lose.
  @Test func samplesStandForAllGroups() {
    let squares = Self.squares(1000)
    // Nothing that goes with the square alone.
    let losses = squares.enumerated().map { $1 * (1 + 0.3 * Double($0 % 7)) + 0.1 }
    let all = losses.reduce(0, +)
    var sums: [Double] = []
    for place in 0..<400 {
      let sample = GroupSample(squares: squares.span, fraction: 0.04, place: place)
      #expect(sample.drawn.count == 40)
      #expect(sample.drawn == sample.drawn.sorted())
      sums.append(
        sample.certain.reduce(0) { $0 + losses[$1] }
          + sample.drawn.reduce(0) { $0 + losses[$1] / squares[$1] * sample.share })
    }
    let mean = sums.reduce(0, +) / Double(sums.count)
    let variance = sums.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(sums.count - 1)
    #expect(variance > 0)
    #expect(abs(mean - all) < 4 * (variance / Double(sums.count)).squareRoot())
    #expect(variance.squareRoot() < 0.1 * all)
  }

  @Test func theWidestGroupsAreAllTaken() {
    let squares = Self.squares(1000)
    let widest = squares.indices.filter { $0 % 97 == 5 }
    for fraction in [0.001, 0.04] {
      let sample = GroupSample(squares: squares.span, fraction: fraction, place: 0)
      #expect(sample.certain == widest)
      #expect(Set(sample.drawn).isDisjoint(with: widest))
      #expect(sample.drawn.count == Int(1000 * fraction))
    }
    // Where nearly all are drawn, those above the mean are certain.
    let sample = GroupSample(squares: [1, 3, 1, 3].span, fraction: 1, place: 0)
    #expect(sample.certain == [1, 3])
    #expect(Set(sample.drawn).isSubset(of: [0, 2]) && sample.share == 0.5)
  }

  @Test func groupsOfZerosAreNotDrawn() {
    let none = GroupSample(squares: [0, 0, 0].span, fraction: 0.5, place: 1)
    #expect(none.certain.isEmpty && none.drawn.isEmpty)
    let one = GroupSample(squares: [0, 2, 0].span, fraction: 0.7, place: 1)
    #expect(one.groups.allSatisfy { $0 == 1 } && !one.groups.isEmpty)
  }

  /// Gathered groups are quantized as they are alone, with what their own inputs count.
  @Test(arguments: [ScaleType.f16, .f32], QuantizationMethod.allCases)
  func groupsOfASampleLoseWhatTheyLoseAlone(
    _ type: ScaleType, _ method: QuantizationMethod
  ) throws {
    let (size, count) = (32, 60)
    var noise = Noise(seed: 6)
    let float = NaiveFloat.named(type.rawValue)
    let weights = (0..<size * count).map { index in
      Float(float.round(noise.bell() * (index / size % 9 == 2 ? 0.4 : 0.1)))
    }
    let tile = WeightTile()
    tile.elements = type
    tile.weights = weights
    tile.prepareStored([0..<weights.count * type.byteCount])
    tile.stored[0].bytes = float.encode(weights.map { Double($0) })
    let layout = try #require(AffineLayout(bits: 3, groupSize: size))
    let quantizer = WeightQuantizer(layout: layout, scaleType: .f16, method: method)
    let values = (0..<4 * size).map { _ in Float.random(in: 0.1...9, using: &noise) }
    let importance =
      method == .search
      ? [ImportanceRun(groups: 10..<50, values: values, firstInput: 2 * size)] : []
    var squares: [Double] = []
    let alone = tile.withElements(0..<weights.count) { bytes, type in
      QuantizationKernels.squaredRanges(
        bytes, type, groupCount: count, groupSize: size, into: &squares)
      return (0..<count).map { group in
        let start = group * size * type.byteCount
        let counts = importance.filter { $0.groups.contains(group) }.map {
          ImportanceRun(
            groups: 0..<1, values: $0.values, firstInput: (group - 8) % 4 * size)
        }
        return QuantizedGroups().errors(
          bytes.extracting(start..<start + size * type.byteCount), as: type, groupCount: 1,
          quantizer, importance: counts)[0]
      }
    }
    var measurement = LossMeasurement()
    let found = try #require(
      measurement.ofSample(
        tile, 0..<weights.count, fraction: 0.4, [quantizer], importance: importance
      ).first)
    let sample = GroupSample(squares: squares.span, fraction: 0.4, place: 0)
    #expect(sample.certain.count > 3 && sample.drawn.count > 20)
    var known = QuantizationError()
    for group in sample.certain { known.merge(alone[group]) }
    #expect(found.known == known)
    #expect(found.drawn.count == sample.drawn.count)
    for (drawn, group) in zip(found.drawn, sample.drawn) {
      #expect(drawn.squaredNorm == sample.share)
      let loss = drawn.squaredError / sample.share * squares[group]
      #expect(abs(loss - alone[group].squaredError) <= 1e-12 * loss)
    }
  }
}
