import Testing

@testable import Stats

@Suite struct MomentsTests {
  private func moments(_ values: some Collection<Double>) -> Moments {
    Moments { add in for value in values { add(value, 1) } }
  }

  /// By hand, in fractions.
  @Test func twoRunsMergeAsPebayHasIt() {
    let a = moments([1, 2, 3, 4])
    let b = moments([10, 20, 40])
    #expect([a.count, a.mean, a.second, a.third, a.fourth] == [4, 2.5, 5, 0, 10.25])
    #expect(b.count == 3)
    #expect(isClose(b.mean, 70 / 3))
    #expect(isClose(b.second, 1400 / 3))
    #expect(isClose(b.third, 20_000 / 9))
    #expect(isClose(b.fourth, 980_000 / 9))
    for (first, second) in [(a, b), (b, a)] {
      var merged = first
      merged.merge(second)
      #expect(merged.count == 7)
      #expect(isClose(merged.mean, 80 / 7))
      #expect(isClose(merged.second, 8510 / 7))
      #expect(isClose(merged.third, 20969.387755102034))
      #expect(isClose(merged.fourth, 699613.4752186587))
      // scipy.stats.kurtosis(x, fisher=False) and skew(x), SciPy 1.17.1.
      #expect(isClose(merged.kurtosis, 3.3135472334338107))
      #expect(isClose(merged.skewness, 1.3088428064895685))
    }
  }

  @Test func splitsInAnyOrderAgree() {
    var generator = SplitMix64(seed: 1)
    let values = (0..<2000).map { _ in Double(generator.gaussian()) * 3 + 1 }
    // Straight from the definitions.
    let n = Double(values.count)
    let mean = values.reduce(0, +) / n
    func central(_ power: Int) -> Double {
      values.reduce(0) { sum, value in
        sum + (0..<power).reduce(1.0) { product, _ in product * (value - mean) }
      } / n
    }
    let kurtosis = central(4) / (central(2) * central(2))
    let skewness = central(3) / (central(2) * central(2).squareRoot())
    for _ in 0..<20 {
      var merged = Moments()
      for part in shuffledParts(values, count: 9, using: &generator) {
        merged.merge(moments(part))
      }
      #expect(merged.count == n)
      #expect(isClose(merged.mean, mean, relative: 1e-11))
      #expect(isClose(merged.standardDeviation, central(2).squareRoot(), relative: 1e-11))
      #expect(isClose(merged.kurtosis, kurtosis, relative: 1e-10))
      #expect((merged.skewness.map { $0 - skewness } ?? 1).magnitude < 1e-10)
    }
  }

  /// 1 and 3 in turn, moved far away: where squares are summed instead, nothing is left of the
  /// variance.
  @Test func aMeanFarFromZeroCostsNothing() {
    let far = (0..<1000).map { 1e9 + Double($0 % 2 == 0 ? 1 : 3) }
    var merged = moments(far[..<333])
    merged.merge(moments(far[333...]))
    #expect(isClose(merged.mean, 1e9 + 2, relative: 1e-15))
    #expect(isClose(merged.standardDeviation, 1, relative: 1e-9))
    #expect(isClose(merged.kurtosis, 1, relative: 1e-9))
  }

  @Test func weightsAreRepetitions() {
    let weighted = Moments { add in
      add(-2, 3)
      add(5, 1)
    }
    #expect(weighted.count == 4)
    #expect(isClose(weighted.mean, -0.25))
    // 3 * 1.75^2 + 5.25^2
    #expect(isClose(weighted.second, 36.75))
    #expect(isClose(weighted.rootMeanSquare, (37.0 / 4).squareRoot()))
  }

  @Test func whereThereIsNoSpreadThereIsNoShape() {
    let nothing = Moments()
    #expect(nothing.standardDeviation == nil)
    #expect(nothing.rootMeanSquare == nil)
    #expect(nothing.kurtosis == nil)
    #expect(nothing.skewness == nil)
    for count in [1, 5] {
      let same = moments(Array(repeating: -0.1, count: count))
      #expect(same.standardDeviation == 0)
      #expect(same.rootMeanSquare == 0.1)
      #expect(same.kurtosis == nil)
      #expect(same.skewness == nil)
    }
    var merged = moments([4])
    merged.merge(nothing)
    #expect(merged == moments([4]))
    merged = nothing
    merged.merge(moments([4]))
    #expect(merged == moments([4]))
  }
}
