import Formats
import Stats

/// Which patterns the values of a tensor are counted as.
enum ElementPatterns: Hashable {
  case f16
  case bf16
  /// Every other type, and what is no stored element: F32 values in bins.
  case floats

  /// - Parameter dtype: of the elements whose bytes are at hand; nil where the weights are others.
  init(_ dtype: DType?) {
    switch dtype {
    case .f16: self = .f16
    case .bf16: self = .bf16
    default: self = .floats
    }
  }

  var values: PatternValues {
    switch self {
    case .f16: Self.f16Values
    case .bf16: Self.bf16Values
    case .floats: .leadingBits
    }
  }

  private static let f16Values = PatternValues(smallestNormal: 0x1p-14) {
    HalfPrecision.f16ToFloat($0)
  }
  private static let bf16Values = PatternValues(smallestNormal: .leastNormalMagnitude) {
    HalfPrecision.bf16ToFloat($0)
  }
}
