import Stats
import Testing

/// Maps of magnitudes, beside a loop over all values.
@Suite struct MagnitudeMapTests {
  private func values(_ tokens: Int, _ channels: Int) -> [Float] {
    (0..<tokens * channels).map { Float(($0 * 7919) % 2003) / 1000 - 1 }
  }

  private func map(_ values: [Float], _ tokens: Int, _ channels: Int) -> MagnitudeMap {
    var map = MagnitudeMap(tokens: 0..<tokens, of: tokens, channelCount: channels)
    map.add(values.span, tokens: 0..<tokens)
    return map
  }

  @Test(arguments: [(1, 1), (3, 130), (64, 128), (65, 129), (200, 300), (513, 40)])
  func cellsAreTheLargestOfTheirValues(_ tokens: Int, _ channels: Int) {
    let values = values(tokens, channels)
    let grid = map(values, tokens, channels).grid()
    #expect(grid.rowCount <= 64 && grid.columnCount <= 128)
    #expect(grid.rowCount * grid.tokensPerCell >= tokens)
    var cells = Array(repeating: 0.0, count: grid.cells.count)
    for token in 0..<tokens {
      for channel in 0..<channels {
        let cell =
          token / grid.tokensPerCell * grid.columnCount + channel / grid.channelsPerCell
        cells[cell] = max(cells[cell], Double(values[token * channels + channel].magnitude))
      }
    }
    #expect(grid.cells == cells)
  }

  /// Tiles of any size, as they come.
  @Test(arguments: [1, 7, 100]) func partsAddUp(_ step: Int) {
    let (tokens, channels) = (150, 5)
    let values = values(tokens, channels)
    var sum = MagnitudeMap(tokens: 0..<tokens, of: tokens, channelCount: channels)
    for start in stride(from: 0, to: tokens, by: step) {
      let range = start..<min(start + step, tokens)
      var part = MagnitudeMap(tokens: range, of: tokens, channelCount: channels)
      let own = Array(values[range.lowerBound * channels..<range.upperBound * channels])
      part.add(own.span, tokens: range)
      sum.merge(part)
    }
    #expect(sum == map(values, tokens, channels))
  }

  /// A divisor is a channel's own: what is divided is divided before cells are made.
  @Test func channelsAreDividedByThemselves() {
    let map = map([8, 3, -1, 2], 1, 4)
    #expect(map.channelMaxima == [8, 3, 1, 2])
    #expect(map.grid(columnLimit: 2, dividedBy: [8, 1, 1, 4]).cells == [3, 1])
  }
}
