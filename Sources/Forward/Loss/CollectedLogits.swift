import Convert

/// All logits of a batch. For few tokens: they take as many numbers as tokens times the vocabulary.
final class CollectedLogits: LogitReader {
  final class Tile {
    var logits: [Float] = []
  }

  /// `[tokens, vocabulary]`.
  private(set) var values: [Float]
  private let tokens: Int
  private let vocabularySize: Int

  init(tokens: Int, vocabularySize: Int) {
    self.tokens = tokens
    self.vocabularySize = vocabularySize
    values = [Float](repeating: 0, count: tokens * vocabularySize)
  }

  func makePartial() -> Tile { Tile() }

  func read(_ tiles: [[Float]], vocabulary: Range<Int>, into partial: Tile) {
    partial.logits = tiles[0]
  }

  func merge(_ partial: Tile, vocabulary: Range<Int>) {
    for token in 0..<tokens {
      for index in 0..<vocabulary.count {
        values[token * vocabularySize + vocabulary.lowerBound + index] =
          partial.logits[token * vocabulary.count + index]
      }
    }
  }
}

extension ForwardPass {
  /// Logits of all tokens, `[tokens, vocabulary]`.
  ///
  /// - Throws: as `hiddenStates`.
  package func logits() throws -> [Float] {
    let hidden = try hiddenStates()
    let vocabulary = model.description.vocabularySize
    let collected = CollectedLogits(tokens: batch.count, vocabularySize: vocabulary)
    try HeadPass<CollectedLogits>(
      [HeadSide(self, hidden, .range(0..<batch.count))], vocabularySize: vocabulary
    )
    .run(collected, context)
    return collected.values
  }
}
