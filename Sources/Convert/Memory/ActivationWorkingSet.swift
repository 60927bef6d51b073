import Formats
import Model

/// What a forward pass needs beside weights and cache, by a rule of thumb of this project: in 16
/// bits, for each token in flight, four vectors of the hidden width (residual, normed input, and
/// what a block reads and writes) and two of the inner width (gate and up); in 32 bits, the logits
/// of one token of each sequence. Attention scores are not counted: flash attention, which runtimes
/// use for long contexts, never holds them whole.
package struct ActivationWorkingSet: Sendable, Equatable {
  package let hiddenSize: Int
  /// Inner width of the feed-forward layers; of a mixture, of all experts that see a token.
  package let intermediateSize: Int
  package let vocabularySize: Int

  package init(hiddenSize: Int, intermediateSize: Int, vocabularySize: Int) {
    self.hiddenSize = hiddenSize
    self.intermediateSize = intermediateSize
    self.vocabularySize = vocabularySize
  }

  /// Nil where the configuration does not tell the hidden width. An inner width that is not told
  /// is four times that, as GPT-2, Bloom and Falcon have it.
  package init?(_ config: ModelConfig) {
    guard let hidden = config.hiddenSize else { return nil }
    var inner = config.intermediateSize ?? 4 * hidden
    if let expert = config.expertIntermediateSize {
      // Where the number of active experts is not told, all may be.
      let experts = (config.activeExpertCount ?? config.expertCount ?? 1) + config.sharedExpertCount
      inner = max(inner, Checked.product(expert, experts) ?? .max)
    }
    self.init(
      hiddenSize: hidden, intermediateSize: inner, vocabularySize: config.vocabularySize ?? 0)
  }

  /// `tokens * batch * (4 * hidden + 2 * intermediate) * 2 + batch * vocabulary * 4`; nil where the
  /// number does not fit.
  ///
  /// - Parameters:
  ///   - tokens: of each sequence that are computed at a time: 1 when generating, a chunk of the
  ///     prompt before that.
  ///   - batch: sequences.
  package func byteCount(tokens: Int, batch: Int) -> Int? {
    guard tokens > 0,
      let row = Checked.sum(Checked.product(hiddenSize, 8), Checked.product(intermediateSize, 4)),
      let rows = Checked.product(tokens, batch)
    else { return tokens == 0 ? 0 : nil }
    return Checked.sum(
      Checked.product(row, rows), Checked.product(Checked.product(vocabularySize, 4), batch))
  }
}
