/// The losses of tokens given those before them, of one model or of two side by side.
final class TokenLosses: LogitReader {
  final class Tile {
    /// Of each model, of one piece of the tile after the other: for each prediction.
    var sums: [[[LogitSums]]] = []
    /// Logits of the targets that are in the tile; nil for others.
    var targets: [[Float?]] = []
  }

  /// Logits whose sums are added up by themselves, whatever the size of a tile: sums do not depend on it.
  static let pieceSize = 64

  /// A token of those that the head is applied to, and the one that it should predict.
  struct Prediction {
    let token: Int
    let target: Int
  }

  private let predictions: [Prediction]
  /// Of each model.
  private var sums: [[LogitSums]]
  private var targets: [[Float]]

  /// What is predicted of windows.
  ///
  /// - Parameter firstScored: place in its window of the first token that is scored; at least 1.
  /// - Returns: tokens of the batch, ascending.
  static func predictions(of batch: TokenBatch, firstScored: Int = 1) -> [Prediction] {
    precondition(firstScored >= 1)
    return batch.windows.flatMap { window in
      window.dropFirst(firstScored).map {
        Prediction(token: $0 - 1, target: batch.tokens[$0])
      }
    }
  }

  /// - Parameter models: 1, or 2: the first then is what the second is compared with.
  init(_ predictions: [Prediction], models: Int) {
    self.predictions = predictions
    sums = Array(
      repeating: Array(repeating: LogitSums(), count: predictions.count), count: models)
    targets = Array(repeating: Array(repeating: 0, count: predictions.count), count: models)
  }

  func makePartial() -> Tile { Tile() }

  func read(_ tiles: [[Float]], vocabulary: Range<Int>, into partial: Tile) {
    let count = vocabulary.count
    partial.sums = tiles.enumerated().map { model, logits in
      // The first model's probabilities weigh how far the others' logits are from its own.
      let other = model == 0 && tiles.count > 1 ? tiles[1] : nil
      return stride(from: 0, to: count, by: Self.pieceSize).map { first in
        let end = min(first + Self.pieceSize, count)
        return predictions.map { prediction in
          LogitSums(
            logits, prediction.token * count + first..<prediction.token * count + end,
            first: vocabulary.lowerBound + first, besides: other)
        }
      }
    }
    partial.targets = tiles.map { logits in
      predictions.map { prediction in
        vocabulary.contains(prediction.target)
          ? logits[prediction.token * count + prediction.target - vocabulary.lowerBound] : nil
      }
    }
  }

  func merge(_ partial: Tile, vocabulary: Range<Int>) {
    for model in sums.indices {
      for index in predictions.indices {
        for piece in partial.sums[model] { sums[model][index].merge(piece[index]) }
        if let target = partial.targets[model][index] { targets[model][index] = target }
      }
    }
  }

  /// The negative logarithms of the targets' probabilities.
  func losses(ofModel model: Int) -> [Double] {
    zip(sums[model], targets[model]).map { $0.logSum - Double($1) }
  }

  /// `Σ p (ln p - ln q)` of the first model's p and the second's q, for each prediction.
  var divergences: [Double] {
    zip(sums[0], sums[1]).map { $0.meanDifference - $0.logSum + $1.logSum }
  }

  /// For which predictions both models find the same token the most probable.
  var sameTops: [Bool] { zip(sums[0], sums[1]).map { $0.top == $1.top } }
}
