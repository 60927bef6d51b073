import Formats

/// A weight of the base that an adapter's module may be merged into.
struct MergeTarget {
  /// As the source and its adapters name it.
  let name: String
  /// As the source stores it.
  let shape: [UInt64]
  let order: MatrixOrder
  /// The tensor of the output that it is, whole and unchanged; nil where it is none.
  let output: String?
  /// Of the outputs that it went into, one.
  let holder: String

  /// `[out, in]`; nil for what is no matrix.
  var matrix: (outputs: Int, inputs: Int)? {
    guard shape.count == 2, let first = Int(exactly: shape[0]), let second = Int(exactly: shape[1])
    else { return nil }
    return order == .inputMajor ? (second, first) : (first, second)
  }

  /// Refuses a weight that is no tensor of the output.
  func checkWhole() throws(MergeError) {
    guard output == nil else { return }
    throw .cannotCombine(
      tensor: name,
      what:
        "it is stored as part of '\(holder)', or with other numbers, as mlx-lm takes it; adapters"
        + " of such weights are not merged")
  }
}

extension MergeTarget {
  /// A tensor that the output has as the source has it.
  init(name: String, shape: [UInt64], order: MatrixOrder) {
    self.init(name: name, shape: shape, order: order, output: name, holder: name)
  }

  /// The tensors of the source that an output is made of.
  static func all(_ output: String, madeOf origin: TensorOrigin) -> [MergeTarget] {
    origin.names.all.map {
      MergeTarget(
        name: $0, shape: origin.shape, order: origin.order, output: origin.isWhole ? output : nil,
        holder: output)
    }
  }
}
