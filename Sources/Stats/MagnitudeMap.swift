/// Largest magnitudes of `[tokens, channels]` values, by channel and by run of tokens: at most `runLimit` runs,
/// whatever the number of tokens.
package struct MagnitudeMap: Sendable, Equatable {
  package let tokenCount: Int
  package let channelCount: Int
  /// Those of the tokens that were seen.
  private let runs: Range<Int>
  /// `[runs, channels]`, row-major.
  private var largest: [Float]

  package static let runLimit = 64

  /// Tokens of a run; the last may have fewer.
  package var runLength: Int { Self.runLength(tokenCount) }

  private static func runLength(_ tokenCount: Int) -> Int {
    max(1, (tokenCount + runLimit - 1) / runLimit)
  }

  /// - Parameters:
  ///   - tokens: of which values will be seen; at least one.
  ///   - tokenCount: of the tensor.
  package init(tokens: Range<Int>, of tokenCount: Int, channelCount: Int) {
    self.tokenCount = tokenCount
    self.channelCount = channelCount
    let length = Self.runLength(tokenCount)
    runs = tokens.lowerBound / length..<(tokens.upperBound - 1) / length + 1
    largest = Array(repeating: 0, count: runs.count * channelCount)
  }

  /// Sees rows of finite values from the start of `values`.
  ///
  /// - Parameter tokens: whose they are, in the tensor.
  package mutating func add(_ values: Span<Float>, tokens: Range<Int>) {
    let (width, length) = (channelCount, runLength)
    let firstRun = runs.lowerBound
    var largest = largest.mutableSpan
    for (row, token) in tokens.enumerated() {
      let (from, to) = (row * width, (token / length - firstRun) * width)
      for channel in 0..<width {
        let magnitude = values[from + channel].magnitude
        if magnitude > largest[to + channel] { largest[to + channel] = magnitude }
      }
    }
  }

  /// Adds what `other` saw of tokens that lie in the runs of this one.
  package mutating func merge(_ other: MagnitudeMap) {
    let start = (other.runs.lowerBound - runs.lowerBound) * channelCount
    for index in other.largest.indices {
      largest[start + index] = max(largest[start + index], other.largest[index])
    }
  }

  /// By channel, over all tokens.
  package var channelMaxima: [Float] {
    var maxima = Array(repeating: Float(0), count: channelCount)
    for row in runs.indices {
      for channel in 0..<channelCount {
        let place = (row - runs.lowerBound) * channelCount + channel
        maxima[channel] = max(maxima[channel], largest[place])
      }
    }
    return maxima
  }

  /// The map with runs of channels too, at most `columnLimit`; the largest magnitude of each cell stays.
  ///
  /// - Parameter divisors: by channel; what magnitudes are divided by. Nil for nothing.
  package func grid(columnLimit: Int = 128, dividedBy divisors: [Double]? = nil) -> MagnitudeGrid {
    let length = max(1, (channelCount + columnLimit - 1) / columnLimit)
    let columns = (channelCount + length - 1) / length
    var cells = Array(repeating: 0.0, count: runs.count * columns)
    for row in 0..<runs.count {
      for channel in 0..<channelCount {
        let magnitude =
          Double(largest[row * channelCount + channel]) / (divisors?[channel] ?? 1)
        let cell = row * columns + channel / length
        cells[cell] = max(cells[cell], magnitude)
      }
    }
    return MagnitudeGrid(
      columnCount: columns, channelsPerCell: length, tokensPerCell: runLength, cells: cells)
  }
}

/// Largest magnitudes of cells of tokens and channels.
package struct MagnitudeGrid: Sendable, Equatable {
  package let columnCount: Int
  package let channelsPerCell: Int
  package let tokensPerCell: Int
  /// `[rows, columns]`, row-major: rows of tokens, columns of channels.
  package let cells: [Double]

  package var rowCount: Int { columnCount > 0 ? cells.count / columnCount : 0 }
}
