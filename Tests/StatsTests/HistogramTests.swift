import Testing

@testable import Stats

@Suite struct HistogramTests {
  @Test func octavesHaveFourBinsOfEqualWidth() {
    let edges: [Float] = [0.5, 0.625, 0.75, 0.875, 1, 1.25, 1.5, 1.75, 2, 2.5]
    let first = LogHistogram.bin(of: 0.5)
    for (index, edge) in edges.enumerated() {
      #expect(LogHistogram.lowerEdge(ofBin: first + index) == edge)
      #expect(LogHistogram.bin(of: edge) == first + index)
      #expect(LogHistogram.bin(of: -edge) == first + index)
      #expect(LogHistogram.bin(of: edge.nextDown) == first + index - 1)
    }
    #expect(LogHistogram.bin(of: .leastNonzeroMagnitude) == 0)
    #expect(LogHistogram.lowerEdge(ofBin: 0) == 0)
    #expect(LogHistogram.bin(of: .greatestFiniteMagnitude) == LogHistogram.binCount - 1)
    #expect(LogHistogram.lowerEdge(ofBin: LogHistogram.binCount) == .greatestFiniteMagnitude)
  }

  private func histogram(_ values: [Float]) -> LogHistogram {
    var bins = [Int](repeating: 0, count: LogHistogram.binCount)
    for value in values { bins[LogHistogram.bin(of: value)] += 1 }
    return LogHistogram(bins)
  }

  @Test func onlyBinsInUseAreKept() {
    let found = histogram([1, -1.2, 1.6, 2])
    #expect(found.counts == [2, 0, 1, 0, 1])
    #expect(found.edges == [1, 1.25, 1.5, 1.75, 2, 2.5])
    #expect(histogram([]).edges == [])
    #expect(histogram([]) == LogHistogram())
  }

  @Test func mergingIsCountingTogether() {
    let parts: [[Float]] = [[1, 2], [], [0x1p-140, 3], [3e38, -1], [1.1]]
    for order in [[0, 1, 2, 3, 4], [4, 2, 0, 1, 3], [1, 3, 4, 2, 0]] {
      var merged = LogHistogram()
      for index in order { merged.merge(histogram(parts[index])) }
      let isSame = merged == histogram(parts.flatMap(\.self))
      #expect(isSame)
    }
  }

  @Test func aBinHoldsItsLowerEdge() {
    let values: [Float] = [0, -0.5, 0.25, 0.3, -20, 19.9, 20, -20.5, 900]
    let found = SigmaHistogram(values.map { ($0, 2) }, mean: 0, sigma: 2)
    // Four bins to a standard deviation of 2: half a unit each; the middle is bin 40.
    var expected = [Int](repeating: 0, count: 80)
    expected[40] = 6
    expected[39] = 2
    expected[0] = 2
    expected[79] = 2
    #expect(found.counts == expected)
    #expect(found.below == 2)
    #expect(found.above == 4)
  }

  @Test func distancesAreCountedFromTheMean() {
    let found = SigmaHistogram([(7, 1), (6, 1), (9.5, 3)], mean: 7, sigma: 1)
    #expect(found.counts[40] == 1)
    #expect(found.counts[36] == 1)
    #expect(found.counts[50] == 3)
    #expect(found.counts.reduce(0, +) == 5)
  }
}
