import Testing

@testable import Stats

@Suite struct DistributionTests {
  /// `numpy.quantile(x, levels)`, NumPy 2.4.6; the moments from SciPy 1.17.1.
  @Test func figuresAreThoseOfNumPyAndSciPy() {
    let values: [Float] = [-3, -1.5, 0.25, 2, 7, 11, 0.5, 100, -40, 6.5]
    let found = Distribution(accumulate(bf16: values))
    #expect(
      found.quantiles == [
        -39.667, -36.67, 1.25, 91.99000000000001, 99.19899999999997, 99.91990000000003,
      ])
    #expect(found.medianMagnitude == 4.75)
    #expect(isClose(found.moments.mean, 8.275))
    #expect(isClose(found.moments.standardDeviation, 33.38121664948718))
    #expect(isClose(found.moments.skewness, 1.7626040292484475))
    #expect(isClose(found.moments.kurtosis, 6.1410816060955025))
    #expect(isClose(found.crestFactor, 2.9076878676649263))
    #expect(found.absMax == 100)
    #expect((found.minimum, found.maximum) == (-40, 100))
    #expect(found.relativeError == 0)
  }

  @Test func anySplitInAnyOrderIsTheSameDistribution() {
    var generator = SplitMix64(seed: 2)
    // All patterns may occur: NaN, infinities, both zeros and subnormals among them.
    let patterns = (0..<3000).map { _ in UInt16.random(in: .min ... .max, using: &generator) }
    let whole = Distribution(accumulate(patterns: patterns))
    #expect(whole.nanCount > 0)
    for _ in 0..<5 {
      var merged = ValueAccumulator(bf16)
      for part in shuffledParts(patterns, count: 6, using: &generator) {
        merged.merge(accumulate(patterns: part))
      }
      let isSame = Distribution(merged) == whole
      #expect(isSame)
    }
  }

  @Test func exactQuantilesAreThoseOfTheSortedValues() {
    var generator = SplitMix64(seed: 3)
    let values = (0..<1001).map { _ in
      Float(bitPattern: generator.gaussian().bitPattern & 0xFFFF_0000)
    }
    let sorted = values.map(Double.init).sorted()
    let found = Distribution(accumulate(bf16: values))
    for (level, quantile) in zip(Distribution.quantileLevels, found.quantiles) {
      // 1001 values: most levels fall on a rank of their own.
      let position = level * 1000
      let rank = Int(position)
      let next = sorted[min(rank + 1, 1000)]
      let expected = sorted[rank] + (next - sorted[rank]) * (position - Double(rank))
      #expect((quantile - expected).magnitude < 1e-12)
    }
  }

  @Test func binnedValuesAreCountedExactlyAndRankedNearly() {
    var generator = SplitMix64(seed: 4)
    let values = (0..<4001).map { _ in generator.gaussian() * 0.02 }
    var merged = ValueAccumulator(.leadingBits)
    for part in shuffledParts(values, count: 5, using: &generator) {
      merged.merge(accumulate(f32: part))
    }
    let found = Distribution(merged)
    let sorted = values.map(Double.init).sorted()
    #expect(found.count == 4001)
    #expect(found.minimum == values.min())
    #expect(found.maximum == values.max())
    #expect(isClose(found.moments.mean, sorted.reduce(0, +) / 4001, relative: 1e-9))
    #expect(found.relativeError == 1.0 / 256)
    for (level, quantile) in zip(Distribution.quantileLevels, found.quantiles) {
      let position = level * 4000
      let (low, high) = (sorted[Int(position)], sorted[min(Int(position) + 1, 4000)])
      let slack = max(low.magnitude, high.magnitude) / 256
      #expect(quantile >= low - slack && quantile <= high + slack)
    }
    let median = values.map { Double($0.magnitude) }.sorted()[2000]
    #expect(isClose(found.medianMagnitude, median, relative: 1.0 / 256))
  }

  @Test(arguments: [true, false])
  func whatIsNoFiniteNumberIsCountedApart(_ isExact: Bool) {
    let values: [Float] = [
      .nan, 1, .infinity, -.infinity, -0.0, 0, 0x1p-130, -2, .infinity, -.nan, .nan,
    ]
    let found = Distribution(isExact ? accumulate(bf16: values) : accumulate(f32: values))
    #expect(found.count == 11)
    #expect(found.nanCount == 3)
    #expect(found.positiveInfinityCount == 2)
    #expect(found.negativeInfinityCount == 1)
    #expect(found.finiteCount == 5)
    #expect(!found.isFinite)
    #expect(found.zeroCount == 2)
    #expect(found.subnormalCount == 1)
    #expect((found.minimum, found.maximum) == (-2, 1))
    // Of -2, 1 and three values of (nearly) 0.
    #expect(isClose(found.moments.mean, -0.2))
    #expect(isClose(found.moments.rootMeanSquare, 1))
    #expect(found.histogram.counts.reduce(0, +) == 3)
  }

  @Test(arguments: [true, false])
  func ofNothingThereIsNothingToSay(_ isExact: Bool) {
    for values in [[], [Float.nan, .infinity]] {
      let found = Distribution(isExact ? accumulate(bf16: values) : accumulate(f32: values))
      #expect(found.count == values.count)
      #expect(found.finiteCount == 0)
      #expect(found.minimum == nil && found.maximum == nil && found.absMax == nil)
      #expect(found.quantiles == [] && found.medianMagnitude == nil)
      #expect(found.crestFactor == nil && found.beyondThreeSigma == nil)
      #expect(found.sigmaHistogram == nil && found.histogram.counts.isEmpty)
      #expect(found.moments.standardDeviation == nil)
    }
  }

  @Test(arguments: [true, false], [1, 7])
  func equalValuesHaveOneQuantileAndNoSpread(_ isExact: Bool, _ count: Int) {
    let values = [Float](repeating: -1.5, count: count)
    let found = Distribution(isExact ? accumulate(bf16: values) : accumulate(f32: values))
    #expect(found.quantiles == Array(repeating: -1.5, count: 6))
    #expect(found.medianMagnitude == 1.5)
    #expect(found.crestFactor == 1)
    #expect(found.moments.standardDeviation == 0)
    #expect(found.beyondThreeSigma == nil)
    #expect(found.sigmaHistogram == nil)
  }

  @Test func zerosHaveNoCrest() {
    let found = Distribution(accumulate(bf16: [0, -0.0, 0]))
    #expect(found.zeroCount == 3)
    #expect(found.absMax == 0)
    #expect(found.crestFactor == nil)
    #expect(found.moments.kurtosis == nil)
  }

  @Test func sharesBeyondSigmaAreCounted() {
    // 10 and 1000 zeros: the ten lies 31 standard deviations out. Two tens and two of -10 among
    // 30: sigma is 3.65, and nothing lies beyond three of them.
    let one = Distribution(accumulate(bf16: [10] + Array(repeating: Float(0), count: 1000)))
    #expect(one.beyondThreeSigma == 1.0 / 1001)
    #expect(one.beyondSixSigma == 1.0 / 1001)
    let several = Distribution(
      accumulate(bf16: [10, 10, -10, -10] + Array(repeating: Float(0), count: 26)))
    #expect(several.beyondThreeSigma == 0)
    // Ten of 40 values: sigma 1.56, 6.2 of them.
    let far = Distribution(accumulate(bf16: [10] + Array(repeating: Float(0), count: 39)))
    #expect(far.beyondSixSigma == 1.0 / 40)
    // Ten of 20 values: sigma 2.18, 4.4 of them.
    let near = Distribution(accumulate(bf16: [10] + Array(repeating: Float(0), count: 19)))
    #expect(near.beyondThreeSigma == 1.0 / 20)
    #expect(near.beyondSixSigma == 0)
  }

  /// Bins are 0.4 % wide. Where that is many standard deviations, the middle of a bin says nothing
  /// of how far its values lie from the mean; no more than 1/36 can lie beyond six (Chebyshev).
  @Test func binsWiderThanTheSpreadGiveNoShares() {
    let values = (0..<1000).map { 1 + Float($0) * 0x1p-20 }
    let found = Distribution(accumulate(f32: values))
    #expect(found.beyondSixSigma ?? 0 <= 1.0 / 36)
    #expect(found.beyondThreeSigma ?? 0 <= 1.0 / 9)
    #expect(found.sigmaHistogram.map { $0.above + $0.below } ?? 0 == 0)
    // The same spread around 0 is seen.
    let centred = Distribution(accumulate(f32: values.map { $0 - 1 }))
    #expect(centred.beyondThreeSigma == 0)
    #expect(centred.sigmaHistogram?.counts.reduce(0, +) == 1000)
  }

  /// The smallest subnormals share a bin with zero.
  @Test func everyValueThatIsNotZeroIsInTheHistogram() {
    let found = Distribution(accumulate(f32: [0, 0x1p-149, -0x1p-140, 0x1p-130, 1]))
    #expect(found.zeroCount == 1)
    #expect(found.subnormalCount == 3)
    #expect(found.histogram.counts.reduce(0, +) == 4)
  }

  @Test func aClearedAccumulatorIsAsNew() {
    var used = accumulate(f32: [1, .nan, .infinity, -.infinity, 0, 0x1p-140])
    used.reset()
    #expect(Distribution(used) == Distribution(ValueAccumulator(.leadingBits)))
    var counts = PatternCounts()
    counts.add([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], count: 5)
    counts.reset()
    #expect(counts.counts.allSatisfy { $0 == 0 })
  }
}
