import Formats

/// What the weights themselves make impossible.
package enum ConversionError: DescribedError, Equatable {
  /// `index` is that of the first such weight, in row-major order; `count` is at least the number
  /// in the tile that holds it.
  case nonFinite(file: String, tensor: String, index: Int, value: String, count: Int)
  /// A weight that is infinite in `type`. `option` names what chose the type, where an option did.
  case overflow(
    file: String, tensor: String, index: Int, value: Float, type: ScaleType, option: String?)
  case undecodable(file: String, tensor: String, dtype: DType)
  /// Weights that are asked for and are not whole rows of one matrix, counted row by row.
  case acrossMatrices(file: String, tensor: String, range: Range<Int>, shape: MatrixShape)

  package var message: String {
    switch self {
    case .nonFinite(let file, let tensor, let index, let value, let count):
      "\(file): tensor '\(tensor)' holds \(value) at index \(index)"
        + " (\(count) such \(count == 1 ? "weight" : "weights") within \(Tiling.weightCount))"
    case .overflow(let file, let tensor, let index, let value, let type, _):
      "\(file): tensor '\(tensor)' holds \(value) at index \(index), which \(type.rawValue) cannot"
        + " hold: it ends at \(type.largestFinite)"
    case .undecodable(let file, let tensor, let dtype):
      "\(file): tensor '\(tensor)' has dtype \(dtype.rawValue), which does not decode to weights"
    case .acrossMatrices(let file, let tensor, let range, let shape):
      "\(file): weights \(range.lowerBound) to \(range.upperBound) of tensor '\(tensor)' are not whole"
        + " rows of one of its \(shape.matrices) matrices of \(shape.outputs) x \(shape.inputs)"
    }
  }

  package var hint: String? {
    switch self {
    case .nonFinite:
      "the checkpoint is damaged or its training diverged; --non-finite zero packs such weights as 0"
    case .overflow(_, _, _, _, let type, let option?):
      "\(option) \(type == .f16 ? "bf16" : "f32") holds it"
    case .overflow:
      "quantize the tensor, or write \"torch_dtype\": \"float32\" into a copy of config.json"
    case .undecodable: "keep it with --keep"
    case .acrossMatrices: nil
    }
  }
}
