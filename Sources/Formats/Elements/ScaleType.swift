/// The types that scales and biases are stored in, and that packed weights decode to.
package enum ScaleType: String, Sendable, CaseIterable {
  case f16 = "F16"
  case bf16 = "BF16"
  case f32 = "F32"

  package init?(_ dtype: DType) { self.init(rawValue: dtype.rawValue) }

  package var dtype: DType {
    switch self {
    case .f16: .f16
    case .bf16: .bf16
    case .f32: .f32
    }
  }

  package var byteCount: Int { self == .f32 ? 4 : 2 }

  /// How kernels are told the type.
  package var kernelCode: Int {
    switch self {
    case .f16: 0
    case .bf16: 1
    case .f32: 2
    }
  }

  package var largestFinite: Float {
    switch self {
    case .f16: HalfPrecision.f16.largestFinite
    case .bf16: HalfPrecision.bf16.largestFinite
    case .f32: .greatestFiniteMagnitude
    }
  }

  /// `value` as this type holds it: rounded to nearest even, infinite beyond the range.
  @inline(__always)
  package func round(_ value: Float) -> Float {
    switch self {
    case .f16: HalfPrecision.f16ToFloat(HalfPrecision.floatToF16(value))
    case .bf16: HalfPrecision.bf16ToFloat(HalfPrecision.floatToBF16(value))
    case .f32: value
    }
  }

  /// `value` as this type holds it, rounded once: not to `Float` first and from there again.
  package func round(_ value: Double) -> Float {
    let nearest = Float(value)
    guard self != .f32, Double(nearest) != value else { return round(nearest) }
    // Rounded to odd, a `Float` still tells on which side of a 16-bit tie the value lies.
    // S. Boldo, G. Melquiond, "Emulation of FMA and correctly rounded sums", 2008, theorem 4.
    let isBeyond =
      nearest.magnitude > Float.greatestFiniteMagnitude
      || Double(nearest.magnitude) > value.magnitude
    let inner = isBeyond ? nearest.bitPattern - 1 : nearest.bitPattern
    return round(Float(bitPattern: inner | 1))
  }

  /// The type that holds the values of both, as MLX promotes them: F16 with BF16 gives F32.
  package func promoted(with other: ScaleType) -> ScaleType { self == other ? self : .f32 }
}
