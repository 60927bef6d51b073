import Stats
import Testing

@Suite struct HistogramEdgeTests {
  /// The largest finite F32 lies in the histogram's last bin, which ends there.
  @Test func histogramOfTheLargestNumbersHasFiniteEdges() throws {
    var values = ValueAccumulator(.leadingBits)
    values.add(floats: [1, -.greatestFiniteMagnitude], count: 2)
    let histogram = Distribution(values).histogram
    #expect(histogram.counts.first == 1)
    #expect(histogram.counts.last == 1)
    #expect(histogram.edges.first == 1)
    #expect(histogram.edges.last == .greatestFiniteMagnitude)
    #expect(histogram.edges.dropLast().last == 0x1.cp127)
  }
}
