import Convert
import Formats
import Model

/// Goes through the vocabulary once, whatever the number of tokens.
struct HeadPass<Reader: LogitReader> {
  private let sides: [HeadSide]
  private let vocabularySize: Int

  /// - Parameter sides: heads of models of one vocabulary, with hidden states of the same tokens.
  init(_ sides: [HeadSide], vocabularySize: Int) {
    self.sides = sides
    self.vocabularySize = vocabularySize
  }

  private final class Slot {
    let tile = WeightTile()
    var logits: [[Float]]
    let partial: Reader.Partial

    init(_ partial: Reader.Partial, sides: Int) {
      self.partial = partial
      logits = [[Float]](repeating: [], count: sides)
    }
  }

  /// Logits of one tile.
  private static var tileSize: Int { 1 << 20 }
  private static var longestTile: Int { 1 << 9 }

  func run(_ reader: Reader, _ context: RunContext) throws {
    guard let tokens = sides.first?.hidden.tokens, tokens > 0 else { return }
    let step = max(8, min(Self.longestTile, Self.tileSize / tokens))
    var next = 0
    let pipeline = OrderedPipeline(
      slots: (0..<2 * context.threads).map { _ in
        Slot(reader.makePartial(), sides: sides.count)
      },
      next: { () -> Range<Int>? in
        guard next < vocabularySize else { return nil }
        let end = sides.reduce(min(next + step, vocabularySize)) {
          min($0, $1.tileEnd(after: next))
        }
        defer { next = end }
        return next..<end
      },
      work: { vocabulary, slot in
        try context.cancellation.check()
        for (index, side) in sides.enumerated() {
          try side.read(vocabulary, into: &slot.logits[index], through: slot.tile)
        }
        reader.read(slot.logits, vocabulary: vocabulary, into: slot.partial)
      },
      handOn: { vocabulary, slot in reader.merge(slot.partial, vocabulary: vocabulary) })
    try pipeline.run(threads: context.threads)
  }
}
