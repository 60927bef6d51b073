/// Reads logits tile by tile of the vocabulary; of several models side by side, those of the same tokens.
protocol LogitReader: AnyObject {
  /// What is made of one tile.
  associatedtype Partial: AnyObject

  func makePartial() -> Partial
  /// Called from any thread.
  ///
  /// - Parameter tiles: of each model, logits `[tokens, vocabulary.count]`.
  func read(_ tiles: [[Float]], vocabulary: Range<Int>, into partial: Partial)
  /// Called in the order of the tiles, one at a time.
  func merge(_ partial: Partial, vocabulary: Range<Int>)
}
