import Testing

@testable import Stats

@Suite struct MagnitudeProfileTests {
  @Test func theMedianOfAnEvenNumberIsBetweenTwo() throws {
    let even = try #require(MagnitudeProfile([4, 1, 3, 10], outlierRatio: 2))
    #expect(even.median == 3.5)
    #expect(even.largest == 10)
    #expect(even.ratio == 10 / 3.5)
    #expect(even.outliers == [.init(index: 3, absMax: 10, ratio: 10 / 3.5)])
    let odd = try #require(MagnitudeProfile([4, 1, 10], outlierRatio: 2))
    #expect(odd.median == 4)
    #expect(MagnitudeProfile([], outlierRatio: 2) == nil)
  }

  @Test func anOutlierExceedsTheMultiple() throws {
    let profile = try #require(MagnitudeProfile([1, 1, 1, 6, 1, 1, 6.5], outlierRatio: 6))
    #expect(profile.outliers.map(\.index) == [6])
  }

  @Test func theLargestOutliersAreNamedFirst() throws {
    var magnitudes = [Float](repeating: 1, count: 100)
    for index in 0..<20 { magnitudes[3 * index] = Float(10 + index / 2) }
    let profile = try #require(MagnitudeProfile(magnitudes, outlierRatio: 6))
    #expect(profile.outlierCount == 20)
    // Pairs of equal magnitude, from 19 down to 12, the lower index first.
    #expect(
      profile.outliers.map(\.index)
        == [54, 57, 48, 51, 42, 45, 36, 39, 30, 33, 24, 27, 18, 21, 12, 15])
    #expect(profile.outliers.first?.ratio == 19)
  }

  @Test func whereTheMedianIsZeroThereIsNoRatio() throws {
    let profile = try #require(MagnitudeProfile([0, 0, 0, 2], outlierRatio: 6))
    #expect(profile.ratio == nil)
    #expect(profile.outliers == [.init(index: 3, absMax: 2, ratio: .infinity)])
    let zeros = try #require(MagnitudeProfile([0, 0], outlierRatio: 6))
    #expect(zeros.outlierCount == 0)
  }

  @Test(arguments: [1, 63, 64, 65, 128, 129, 1000])
  func stepsCoverTheAxis(_ count: Int) throws {
    let magnitudes = (0..<count).map { Float(($0 * 37) % 101) }
    let profile = try #require(MagnitudeProfile(magnitudes, outlierRatio: 6))
    #expect(profile.steps.count <= 64)
    var expected = [Float](repeating: -1, count: profile.steps.count)
    for (index, magnitude) in magnitudes.enumerated() {
      let step = index / profile.stepLength
      expected[step] = max(expected[step], magnitude)
    }
    #expect(profile.steps == expected)
    #expect(count > 64 || profile.stepLength == 1)
  }
}

@Suite struct ChannelMagnitudesTests {
  @Test func runsMayStartAndEndWithinRows() {
    var generator = SplitMix64(seed: 5)
    let (rows, columns) = (9, 7)
    let values = (0..<rows * columns).map { _ in generator.gaussian() }
    func magnitude(_ row: Int, _ column: Int) -> Float { abs(values[row * columns + column]) }
    let byRow = (0..<rows).map { row in (0..<columns).map { magnitude(row, $0) }.max()! }
    let byColumn = (0..<columns).map { column in (0..<rows).map { magnitude($0, column) }.max()! }
    for _ in 0..<20 {
      var whole = ChannelMagnitudes()
      whole.reset(rows: 0..<rows, columnCount: columns)
      var part = ChannelMagnitudes()
      for run in shuffledParts(Array(values.indices), count: 6, using: &generator) {
        guard let first = run.first, let last = run.last else { continue }
        part.reset(rows: first / columns..<last / columns + 1, columnCount: columns)
        // What lies beyond `count` is left from an earlier run.
        part.add(run.map { values[$0] } + [1000], count: run.count, start: first)
        whole.merge(part)
      }
      #expect(whole.rows == byRow)
      #expect(whole.columns == byColumn)
    }
  }

  /// Patterns of BF16 are the upper halves of F32.
  @Test func patternsAreSeenAsTheirNumbers() {
    var generator = SplitMix64(seed: 6)
    let (rows, columns) = (9, 7)
    let patterns = (0..<rows * columns).map { _ in
      UInt16.random(in: .min ... .max, using: &generator) & 0xBFFF
    }
    func number(_ pattern: UInt16) -> Float { Float(bitPattern: UInt32(pattern) << 16) }
    func bytes(_ run: some Sequence<UInt16>) -> [UInt8] {
      run.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
    }
    for _ in 0..<20 {
      var (whole, numbers) = (ChannelMagnitudes(), ChannelMagnitudes())
      whole.reset(rows: 0..<rows, columnCount: columns)
      numbers.reset(rows: 0..<rows, columnCount: columns)
      numbers.add(patterns.map(number), count: patterns.count, start: 0)
      var part = ChannelMagnitudes()
      for run in shuffledParts(Array(patterns.indices), count: 6, using: &generator) {
        guard let first = run.first, let last = run.last else { continue }
        part.reset(rows: first / columns..<last / columns + 1, columnCount: columns)
        part.add(
          patterns: bytes(run.map { patterns[$0] } + [0x7F00]), count: run.count, start: first,
          value: number)
        whole.merge(part)
      }
      #expect(whole.rows == numbers.rows)
      #expect(whole.columns == numbers.columns)
    }
  }
}

@Suite struct ActivationChannelsTests {
  @Test func figuresAreByChannel() {
    var channels = ActivationChannels(channelCount: 2)
    channels.add([1, -6, -3, 5.5, 2, 8, 99], tokens: 3)
    #expect(channels.tokenCount == 3)
    #expect(channels.absMax == [3, 8])
    #expect(channels.meanMagnitudes == [2, 6.5])
    // (1 + 9 + 4) / 3 and (36 + 30.25 + 64) / 3
    #expect(channels.meanSquares == [14.0 / 3, 130.25 / 3])
    #expect(channels.outlierTokens == [0, 2])
  }

  @Test func whatIsLeftOutHasNoShareInTheMeans() {
    var channels = ActivationChannels(channelCount: 2)
    channels.add([3, 0, 5, 4], tokens: 2)
    channels.leaveOut(channel: 1)
    var other = ActivationChannels(channelCount: 2)
    other.add([0, 0], tokens: 1)
    other.leaveOut(channel: 0)
    other.leaveOut(channel: 1)
    channels.merge(other)
    #expect(channels.meanMagnitudes == [4, 4])
    #expect(channels.meanSquares == [17, 16])
    #expect(channels.tokenCount == 3)
    // A channel of which nothing is known.
    #expect(other.meanSquares == [0, 0])
  }

  @Test func splitsInAnyOrderAgree() {
    var generator = SplitMix64(seed: 6)
    // Multiples of 1/8: their sums are exact in any order.
    let tokens = (0..<200).map { _ in
      (0..<5).map { _ in (generator.gaussian() * 32).rounded() / 8 }
    }
    var whole = ActivationChannels(channelCount: 5)
    whole.add(tokens.flatMap(\.self), tokens: 200)
    for _ in 0..<5 {
      var merged = ActivationChannels(channelCount: 5)
      for part in shuffledParts(tokens, count: 7, using: &generator) {
        var channels = ActivationChannels(channelCount: 5)
        channels.add(part.flatMap(\.self), tokens: part.count)
        merged.merge(channels)
      }
      #expect(merged == whole)
    }
    #expect(whole.tokenCount == 200)
    #expect(whole.outlierTokens.reduce(0, +) > 0)
  }
}

@Suite struct LargestValuesTests {
  @Test func anyOrderAndAnySplitKeepTheSameValues() {
    var generator = SplitMix64(seed: 7)
    // Few magnitudes, so that many are equal.
    let values = (0..<400).map { index in
      (value: Float(Int.random(in: -20...20, using: &generator)), row: index / 9, column: index % 9)
    }
    let expected = values.sorted {
      $0.value.magnitude != $1.value.magnitude
        ? $0.value.magnitude > $1.value.magnitude : ($0.row, $0.column) < ($1.row, $1.column)
    }.prefix(16).map { LargestValues.Entry(value: $0.value, row: $0.row, column: $0.column) }
    for _ in 0..<5 {
      let parts = shuffledParts(values.shuffled(using: &generator), count: 4, using: &generator)
        .map { part in
          var found = LargestValues()
          for entry in part { found.add(entry.value, row: entry.row, column: entry.column) }
          return found
        }
      var left = LargestValues()
      for part in parts { left.merge(part) }
      var right = LargestValues()
      for part in parts.reversed() {
        var next = part
        next.merge(right)
        right = next
      }
      #expect(left.entries == expected)
      #expect(right.entries == expected)
    }
  }
}

@Suite struct ChannelEnergyTests {
  /// NumPy 2.4.6, over the float32 values as float64: `a.sum()`, `a.std()`,
  /// `-(p * log2(p)).sum()` and so on.
  @Test func figuresAreNumPys() throws {
    let energy = try #require(ChannelEnergy([0, 1e-6, 0.5, 2, 0.25, 3] as [Float]))
    #expect(energy.channelCount == 6)
    #expect(isClose(energy.sum, 5.7500009999999975))
    #expect((energy.minimum, energy.maximum) == (0, 3))
    #expect(isClose(energy.mean, 0.9583334999999996))
    #expect(isClose(energy.standardDeviation, 1.140327541883435))
    #expect(isClose(energy.activeShare, 4.0 / 6))
    #expect(isClose(energy.entropy, 1.5227158470041995))
    #expect(isClose(energy.normalizedEntropy, 0.5890669000340973))
    #expect(isClose(energy.outlierShare, 1.0 / 6))
  }

  @Test func evenlySpreadEnergyHasTheLargestEntropy() throws {
    let even = try #require(ChannelEnergy([Float](repeating: 0.25, count: 8)))
    #expect(even.entropy == 3)
    #expect(even.normalizedEntropy == 1)
    #expect(even.outlierShare == 0)
  }

  @Test func degenerateChannelsHaveNoEntropy() throws {
    #expect(ChannelEnergy([]) == nil)
    let zeros = try #require(ChannelEnergy([0, 0]))
    #expect(zeros.entropy == nil && zeros.normalizedEntropy == nil)
    let one = try #require(ChannelEnergy([2]))
    #expect(one.entropy == 0)
    #expect(one.normalizedEntropy == nil)
  }
}
