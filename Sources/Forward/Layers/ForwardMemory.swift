import Model

/// What running models takes, by the sizes of their descriptions, and the options that keep it within a bound.
///
/// Estimates are in bytes, from above, and in `Double`: sizes multiply beyond what integers hold.
package struct ForwardMemory {
  private let models: [DecoderDescription]
  private let tokens: Int
  private let longestWindow: Int
  /// Tiles that are in work or wait.
  private let slots: Double

  /// Of what is allocated, for what lies unused between it.
  private static let slack = 1.15
  private static let smallestTile = 1 << 13
  private static let number = Double(MemoryLayout<Float>.size)

  /// - Parameters:
  ///   - models: those that are run over the same tokens, one after the other; hidden states of the first are
  ///     kept while the others run.
  ///   - tokens: of all windows.
  package init(models: [DecoderDescription], tokens: Int, longestWindow: Int, threads: Int) {
    self.models = models
    self.tokens = tokens
    self.longestWindow = longestWindow
    slots = Double(2 * threads)
  }

  /// The options with which the process takes about `limit` bytes at most.
  ///
  /// - Parameter used: bytes that the process takes already.
  /// - Throws: `ForwardError.tooLittleMemory` where one window does not fit.
  package func options(limit: Int, used: Int) throws(ForwardError) -> ForwardOptions {
    let available = Double(limit - min(used, limit)) / Self.slack
    let window = Double(longestWindow) * tokenBytes
    let least = fixedBytes + tileBytes(Self.smallestTile) + window
    guard least <= available else {
      throw .tooLittleMemory(
        limit, needed: used + Int(min(least * Self.slack, 0x1p60)), window: longestWindow)
    }
    var options = ForwardOptions()
    while options.tileSize > Self.smallestTile,
      tileBytes(options.tileSize) > available / 4
        || fixedBytes + tileBytes(options.tileSize) + window > available
    {
      options.tileSize /= 2
    }
    var rest = available - fixedBytes - tileBytes(options.tileSize)
    options.hiddenLimit = 0
    if hiddenBytes <= rest / 2, rest - hiddenBytes >= window {
      options.hiddenLimit = .max
      rest -= hiddenBytes
    }
    let widest = Double(models.map(\.widestFeatures).max() ?? 1)
    options.blockSize = min(options.blockSize, Int(rest / tokenBytes * widest))
    return options
  }

  /// Hidden states of all tokens, of the first model and of the widest of the others.
  private var hiddenBytes: Double {
    let others = models.dropFirst().map(\.hiddenSize).max() ?? 0
    return Self.number * Double(tokens) * Double((models.first?.hiddenSize ?? 0) + others)
  }

  /// Heads of two models are applied side by side.
  private var sides: Double { models.count > 1 ? 2 : 1 }

  /// Of a token of a block: intermediate values and results of the narrowest tiles; or what heads read, their logits
  /// and the sums of these.
  private var tokenBytes: Double {
    let widest = Double(models.map(\.widestFeatures).max() ?? 1)
    let narrowest = Double(ForwardOptions.fewestRows)
    let read = Double(models.map(\.head.width).max() ?? 1)
    let piece = Double(TokenLosses.pieceSize)
    return Self.number
      * max(widest + slots * narrowest, sides * (3 * read + slots * (piece + 8 * Self.sums)))
  }

  /// Numbers that `LogitSums` and a target take.
  private static let sums = 12.0

  /// Weights as they are stored, decoded, turned and in panels; results of a layer, and logits.
  private func tileBytes(_ tileSize: Int) -> Double {
    let rows = models.flatMap { model in
      model.layers.map { Double(ForwardOptions.fewestRows) * Double($0.widestInputs) }
        + [Double(TokenLosses.pieceSize) * Double(model.head.width)]
    }
    let weights = max(Double(tileSize), rows.max() ?? 0)
    return slots * Self.number * (4 * weights + (1 + sides) * 4 * Double(tileSize))
  }

  /// What does not depend on options: attention over the longest window, and what is kept of each token.
  private var fixedBytes: Double {
    let mixers = models.flatMap { $0.layers.map(\.numbersPerPosition) }.max() ?? 0
    return Self.number * slots * Double(longestWindow) * Double(mixers)
      + Double(tokens) * (96 + 48 * Double(models.count))
  }
}

extension LayerDescription {
  /// Of the linear layer that reads the most.
  fileprivate var widestInputs: Int { linears.map(\.inputs).max() ?? 1 }

  /// Numbers that a thread has for each position of a window while it mixes: panels, scores, and results.
  fileprivate var numbersPerPosition: Int {
    switch mixer {
    case .attention(let attention): attention.heads.numbersPerPosition
    case .latentAttention(let attention): attention.heads.numbersPerPosition
    case .mamba(let mamba): mamba.channels
    case .mamba2(let mamba): mamba.channels
    }
  }
}

extension AttentionHeads {
  fileprivate var numbersPerPosition: Int {
    width + valueWidth + HeadAttention.queryCount + count / keyValueCount * valueWidth
  }
}
