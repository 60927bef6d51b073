import Formats
import Model

extension SourceTensor {
  /// A tensor that is made of others.
  ///
  /// - Parameter pieces: those that its origin names, in order.
  init(_ made: MadeTensor, of pieces: [SourceTensor]) {
    self.init(
      name: made.name, dtype: pieces[0].dtype, shape: made.shape,
      byteCount: Self.byteCount(made.origin, of: pieces), file: pieces[0].file,
      stored: pieces.flatMap(\.stored), recorded: pieces.flatMap(\.recorded), packing: nil,
      origin: made.origin, pieces: pieces, changesWhenPacked: made.changesWhenPacked)
  }

  /// Of what is taken of the pieces.
  private static func byteCount(_ origin: TensorOrigin, of pieces: [SourceTensor]) -> Int {
    let all = pieces.reduce(0) { $0 + $1.byteCount }
    guard let taken = origin.stored?.taken.count, pieces[0].elementCount > 0 else { return all }
    // Packed weights take less than a byte each.
    return taken >= pieces[0].elementCount
      ? all : pieces[0].elementCount.dividingFullWidth(all.multipliedFullWidth(by: taken)).quotient
  }

  /// The same without what its origin changes.
  var unchanged: SourceTensor {
    var tensor = self
    tensor.origin?.changes = []
    return tensor.isOneCopied && tensor.pieces.map(\.name) == [name] ? pieces[0] : tensor
  }

  /// Those that it is made of; itself where it is one of the source.
  package var parts: [SourceTensor] { pieces.isEmpty ? [self] : pieces }

  /// Whether its bytes are those of one stored tensor, under whatever name and shape.
  var isOneCopied: Bool {
    pieces.isEmpty && elementScales == nil
      || pieces.count == 1 && origin?.keepsElements == true
        && origin?.changes.isEmpty == true && !pieces[0].isPacked
        && pieces[0].elementScales == nil
  }
}
