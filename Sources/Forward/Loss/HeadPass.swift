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
    let buffers: TileBuffers.Slot
    var logits: [[Float]]
    let partial: Reader.Partial

    init(_ buffers: TileBuffers.Slot, _ partial: Reader.Partial, sides: Int) {
      self.buffers = buffers
      self.partial = partial
      logits = [[Float]](repeating: [], count: sides)
    }
  }

  func run(_ reader: Reader, _ context: RunContext) throws {
    guard let first = sides.first, first.inputs.tokens > 0 else { return }
    let widest = sides.map(\.inputs.features).max() ?? 1
    let step = first.options.headRows(inputs: widest, tokens: first.inputs.tokens)
    var next = 0
    let pipeline = OrderedPipeline(
      slots: first.buffers.slots(threads: context.threads).map {
        Slot($0, reader.makePartial(), sides: sides.count)
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
          try side.read(vocabulary, into: &slot.logits[index], through: slot.buffers)
        }
        reader.read(slot.logits, vocabulary: vocabulary, into: slot.partial)
      },
      handOn: { vocabulary, slot in reader.merge(slot.partial, vocabulary: vocabulary) })
    try pipeline.run(threads: context.threads)
  }
}
