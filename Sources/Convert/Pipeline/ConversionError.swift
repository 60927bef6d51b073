import Formats

/// What the weights themselves make impossible.
package enum ConversionError: DescribedError, Equatable {
  /// `index` is that of the first such weight, in row-major order; `count` is at least the number
  /// in the tile that holds it.
  case nonFinite(file: String, tensor: String, index: Int, value: String, count: Int)
  case undecodable(file: String, tensor: String, dtype: DType)

  package var message: String {
    switch self {
    case .nonFinite(let file, let tensor, let index, let value, let count):
      "\(file): tensor '\(tensor)' holds \(value) at index \(index)"
        + " (\(count) such \(count == 1 ? "weight" : "weights") within \(Tiling.weightCount))"
    case .undecodable(let file, let tensor, let dtype):
      "\(file): tensor '\(tensor)' has dtype \(dtype.rawValue), which does not decode to weights"
    }
  }

  package var hint: String? {
    switch self {
    case .nonFinite:
      "the checkpoint is damaged or its training diverged; --non-finite zero packs such weights as 0"
    case .undecodable: "keep it with --keep"
    }
  }
}
