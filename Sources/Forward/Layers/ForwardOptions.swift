import Model

/// What bounds the memory of a pass. No result depends on it.
package struct ForwardOptions: Sendable, Equatable {
  /// Numbers of intermediate values of one block of windows, about.
  package var blockSize = 1 << 27
  /// Numbers of hidden states that stay in memory; where there are more, all of them go to a temporary file.
  package var hiddenLimit = 1 << 27
  /// Weights of a tile; its results may be four times as many.
  package var tileSize = Self.largestTile

  package static let largestTile = 1 << 18

  package init() {}

  /// Rows of weights of a tile; never so few that a panel of the kernel is mostly empty.
  func tileRows(inputs: Int, tokens: Int) -> Int {
    max(Self.fewestRows, min(tileSize / inputs, 4 * tileSize / max(1, tokens)))
  }

  static let fewestRows = 8

  /// Rows of the head of a tile: whole pieces, so that sums of logits do not depend on it.
  func headRows(inputs: Int, tokens: Int) -> Int {
    let piece = TokenLosses.pieceSize
    return max(piece, min(512, tileRows(inputs: inputs, tokens: tokens)) / piece * piece)
  }

  /// Tokens that the head is applied to at a time.
  func headTokenCount(of model: DecoderDescription) -> Int {
    min(Self.mostHeadTokens, blockTokenCount(of: model))
  }

  private static let mostHeadTokens = 2048

  /// Tokens whose widest intermediate values together have `blockSize`.
  func blockTokenCount(of model: DecoderDescription) -> Int {
    max(1, blockSize / model.widestFeatures)
  }
}

extension DecoderDescription {
  /// About the numbers that a token has at once in the widest part of the model.
  var widestFeatures: Int {
    // Rows of a block, their norm, what a part gives, and what an observer changes.
    let rows = 5 * max(hiddenSize, embedding.width, head.width)
    return max(1, rows + (layers.map(\.widestFeatures).max() ?? 0))
  }
}

extension LayerDescription {
  fileprivate var widestFeatures: Int {
    let mixed =
      switch mixer {
      case .attention(let attention):
        2 * (2 * attention.heads.count + 2 * attention.heads.keyValueCount) * attention.heads.width
      case .latentAttention(let attention):
        attention.heads.count * (3 * attention.heads.width + 3 * attention.heads.valueWidth)
      case .mamba(let mamba): 6 * mamba.channels
      case .mamba2(let mamba): 3 * mamba.input.outputs
      }
    let fed =
      switch feedForward {
      case .plain(let plain): 2 * plain.up.outputs
      case .gated(let gated): 4 * gated.down.inputs
      case .mixture(let mixture):
        4 * (mixture.experts.width + (mixture.shared?.expert.down.inputs ?? 0))
          + 2 * mixture.experts.count
      case nil: 0
      }
    return max(mixed, fed)
  }
}
