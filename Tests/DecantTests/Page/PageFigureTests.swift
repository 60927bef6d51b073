import Testing

@testable import decant

@Suite struct PageFigureTests {
  @Test(arguments: [
    (nil, "–"), (Double.nan, "–"), (0, "0"), (.infinity, "∞"), (-.infinity, "-∞"),
    (1234.4, "1,234"), (999.4, "999"), (999.6, "1,000"), (77.136, "77.1"), (9.996, "10.0"),
    (3.0, "3.00"), (0.123_456, "0.123"), (0.012_34, "0.0123"), (-0.5, "-0.500"),
    (0.000_012_34, "1.23e-5"), (1.5e9, "1.50e9"),
  ])
  func figuresHaveThreeDigits(_ value: Double?, text: String) {
    #expect(figureText(value) == text)
  }

  @Test func decibelsTellWhatIsExact() {
    #expect(decibelText(20.04) == "20.0")
    #expect(decibelText(.infinity) == "exact")
    #expect(decibelText(-.infinity) == "-∞")
    #expect(decibelText(nil) == "–")
  }

  @Test(arguments: [(10.0, "10"), (0.5, "0.5"), (1000, "1,000"), (1e6, "1e6"), (2.25, "2.25")])
  func ticksAreShort(_ value: Double, text: String) {
    #expect(tickText(value) == text)
  }

  @Test func axesTakeInAllFiguresAndHaveRoundTicks() throws {
    for values in [
      [3.2, 77], [0.01, 400], [5], [1e-30, 1e30], [0, -1, .infinity], [.leastNonzeroMagnitude],
      [.leastNormalMagnitude, .greatestFiniteMagnitude],
    ] {
      let scale = LogScale(values)
      for value in values where value > 0 && value.isNormal {
        let position = try #require(scale.position(value))
        #expect((0...1).contains(position))
      }
      #expect(scale.position(0) == nil && scale.position(.infinity) == nil)
      #expect((1...8).contains(scale.ticks.count))
    }
    #expect(LogScale([3.2, 77]).ticks == [10] || LogScale([3.2, 77]).ticks == [10, 30])
  }

  @Test func coloursRunFromHarmlessToHarmful() {
    #expect([3, 3.25, 6, 1000].map { HeatScale.kurtosis.step($0) } == [0, 1, 3, 8])
    // On every page alike: more than 29 dB is the first colour, less than 8 the last.
    #expect(
      [30, 29, 21, 19.9, 8.1, 8, -3].map { HeatScale.sqnr.step($0) } == [0, 1, 3, 4, 7, 8, 8])
    let rising = HeatScale.logarithmic([1, 512])
    #expect([1, 3, 48, 512].map { rising.step($0) } == [0, 1, 5, 8])
    #expect(rising.step(nil) == nil && rising.step(.nan) == nil)
    // Equal figures are not spread over all colours.
  }

  @Test func manyLayersHaveFewNumbers() {
    #expect(layerTicks([0, 1, 2, 3]) == [0, 1, 2, 3])
    #expect(layerTicks(Array(0..<80)) == [0, 10, 20, 30, 40, 50, 60, 70])
    #expect(layerTicks(Array(0..<100_000)).count <= 9)
  }
}
