import Formats

/// A tensor of a source, as an arrangement sees it.
package struct ListedTensor: Sendable {
  package let name: String
  package let dtype: DType
  package let shape: [UInt64]
  package let order: MatrixOrder
  /// Whether it is packed already: such weights are read output by output only.
  package let isPacked: Bool
  /// Whether it is one that was made for mlx-lm.
  package let isMade: Bool

  package init(
    name: String, dtype: DType, shape: [UInt64], order: MatrixOrder, isPacked: Bool = false,
    isMade: Bool = false
  ) {
    self.name = name
    self.dtype = dtype
    self.shape = shape
    self.order = order
    self.isPacked = isPacked
    self.isMade = isMade
  }
}

/// A tensor that is made of some of the source.
package struct MadeTensor: Sendable, Equatable {
  package let name: String
  /// As the output has it: `[out, in]`, or `[matrices, out, in]`, and any other shape as it is.
  package let shape: [UInt64]
  package let origin: TensorOrigin
  /// Whether its changes are for packed weights alone.
  package let changesWhenPacked: Bool

  package init(
    name: String, shape: [UInt64], origin: TensorOrigin, changesWhenPacked: Bool = false
  ) {
    self.name = name
    self.shape = shape
    self.origin = origin
    self.changesWhenPacked = changesWhenPacked
  }
}

/// What becomes of a tensor of a source.
package enum ArrangedItem: Sendable, Equatable {
  /// The tensor at this place of the source, under its own name.
  case same(Int)
  /// A tensor that is made of those at these places.
  case made(MadeTensor, from: [Int])
  case keep(Int, reason: String)
  case drop(Int, reason: String)
}
