import Stats
import Testing

@testable import decant

@Suite struct FigureTests {
  @Test(arguments: [
    (0, "0"), (1.234e-5, "1.23e-5"), (-0.00099, "-9.90e-4"), (0.001, "0.00100"),
    (0.00621, "0.00621"), (0.009_996, "0.0100"), (0.02134, "0.0213"), (0.1, "0.100"),
    (0.98765, "0.988"), (1, "1.00"), (4.2, "4.20"),
    (-42.04, "-42.0"), (187.4, "187"), (65504, "65504"), (999_999, "999999"),
    (1e6, "1.00e6"), (3.4e38, "3.40e38"), (.infinity, "inf"), (-.infinity, "-inf"),
  ])
  func numbersHaveThreeDigits(_ value: Double, _ text: String) {
    #expect(figure(value) == text)
  }

  @Test func whereThereIsNoFigureThereIsADash() {
    #expect(figure(nil) == "-")
    #expect(decibels(nil) == "-")
    #expect(percent(nil) == "-")
    // A NaN is no figure either.
    #expect(figure(.nan) == "-")
    #expect(decibels(.nan) == "-")
    #expect(percent(.nan) == "-")
  }

  @Test func ratiosAreInDecibels() {
    #expect(decibels(21.34) == "21.3")
    #expect(decibels(-3) == "-3.0")
    #expect(decibels(.infinity) == "exact")
  }

  @Test func sharesAreInPercent() {
    #expect(percent(0.0149) == "1.49 %")
    #expect(percent(0.000031) == "0.00310 %")
    #expect(percent(1) == "100 %")
    #expect(percent(0) == "0 %")
  }
}

@Suite struct BarChartTests {
  /// Heights by the logarithm: of 10^7, every factor of 10 is one of seven steps above the first.
  @Test func aRowIsLogarithmic() {
    let counts = [0, 1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000]
    #expect(BarChart(isUnicode: true).row(counts, largest: 10_000_000) == " ▁▂▃▄▅▆▇█")
    #expect(BarChart(isUnicode: false).row(counts, largest: 10_000_000) == " .:-=+*#@")
  }

  @Test func aSingleValueShowsBesideMillions() {
    let chart = BarChart(isUnicode: true)
    #expect(chart.row([1, 0, 5_000_000], largest: 5_000_000) == "▁ █")
    #expect(chart.row([1, 0], largest: 1) == "█ ")
    #expect(chart.row([0, 0], largest: 0) == "  ")
    #expect(chart.row([], largest: 0) == "")
  }

  @Test func barsStandOnTheLastLine() {
    // 16 steps over two lines: 1 is one, 2^15 all of them, 2^7 eight.
    let lines = BarChart(isUnicode: true).bars([1, 1 << 15, 0, 1 << 7], lines: 2)
    #expect(lines == [" █  ", "▁█ █"])
    #expect(BarChart(isUnicode: false).bars([0], lines: 3) == [" ", " ", " "])
  }
}

@Suite struct MagnitudeAxisTests {
  private func histogram(_ counts: [(value: Float, count: Int)]) -> LogHistogram {
    var bins = [Int](repeating: 0, count: LogHistogram.binCount)
    for (value, count) in counts { bins[LogHistogram.bin(of: value)] += count }
    return LogHistogram(bins)
  }

  @Test func oneColumnForEveryBinWhereThereIsRoom() {
    let first = histogram([(1, 5), (1.5, 2)])
    let second = histogram([(1.25, 7), (2, 1)])
    let axis = MagnitudeAxis([first, second], width: 40)
    // From 1 to 2, in quarters, and a quarter of the next octave.
    #expect(axis.counts(first) == [5, 0, 2, 0, 0])
    #expect(axis.counts(second) == [0, 7, 0, 0, 1])
    #expect(axis.largest == 7)
    #expect(axis.label == "1.00 |x| 2.50")
  }

  @Test(arguments: [1, 2, 3, 7, 12, 40, 200])
  func noMoreColumnsThanThereIsRoomFor(_ width: Int) {
    let wide = histogram((-20...20).map { (Float(sign: .plus, exponent: $0, significand: 1), 3) })
    let axis = MagnitudeAxis([wide], width: width)
    let columns = axis.counts(wide)
    #expect(columns.count <= width)
    #expect(columns.reduce(0, +) == 41 * 3)
    #expect(axis.largest == columns.max())
  }

  /// The thousandth that is smallest goes into the first column.
  @Test func theAxisBeginsWhereItTellsSomething() {
    let tail = histogram([(0x1p-100, 10), (1, 10_000), (1.25, 5000)])
    let axis = MagnitudeAxis([tail], width: 40)
    #expect(axis.counts(tail) == [10_010, 5000])
    #expect(axis.label == "1.00 |x| 1.50")
  }

  @Test func withoutValuesThereIsNoAxis() {
    let axis = MagnitudeAxis([LogHistogram(), LogHistogram()], width: 40)
    #expect(axis.counts(LogHistogram()) == [])
    #expect(axis.label == "")
    #expect(axis.largest == 0)
    #expect(MagnitudeAxis([], width: 0).label == "")
  }
}
