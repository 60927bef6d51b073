/// Types that scales and biases are stored in. Products and sums of numbers of the type are rounded without
/// a look at overflow, NaN and, in F16, subnormal numbers: those are multiples of 2^-24, which need none.
protocol ParameterType {
  /// Magnitude that is plain at least for a scale.
  static var smallest: Float { get }
  /// Largest magnitude of plain products and biases.
  static var limit: Float { get }
  static func round(_ value: Float) -> Float
  static func round(_ values: Lanes) -> Lanes
  /// Of numbers of any kind up to `limit`, subnormal ones too.
  static func roundParameters(_ values: Lanes) -> Lanes
}

extension ParameterType {
  @inline(__always)
  static func roundParameters(_ values: Lanes) -> Lanes { round(values) }

  /// Whether all that codes decode to with a scale and a bias, not rounded yet, is plain, and positions in
  /// steps of the scale are far below 2^15. False for NaN.
  @inline(__always)
  static func isPlain(_ scale: Lanes, _ bias: Lanes, steps: Float) -> LaneMask {
    let (size, offset) = (scale.magnitudes, bias.magnitudes)
    // A bias may be half a unit in the last place off: 2^-9 of it.
    return (size .>= smallest) .& (size * steps .<= limit) .& (offset .<= limit)
      .& (offset .<= 0x1p22 * size)
  }

  /// The same of numbers of the type.
  @inline(__always)
  static func isPlain(stored scale: Float, _ bias: Float, steps: Float) -> Bool {
    scale.magnitude * steps <= limit && bias.magnitude <= limit
  }
}

enum F16Parameters: ParameterType {
  // The smallest number, half of the largest: rounding stays within.
  @inline(__always) static var smallest: Float { 0x1p-24 }
  @inline(__always) static var limit: Float { 32000 }

  @inline(__always)
  static func round(_ value: Float) -> Float {
    let bits = value.bitPattern
    return Float(bitPattern: (bits &+ 0xFFF &+ (bits &>> 13 & 1)) & 0xFFFF_E000)
  }

  @inline(__always)
  static func round(_ values: Lanes) -> Lanes {
    let bits = values.bitPatterns
    return Lanes(bitPatterns: (bits &+ 0xFFF &+ (bits &>> 13 & 1)) & 0xFFFF_E000)
  }
}

extension F16Parameters {
  @inline(__always)
  static func roundParameters(_ values: Lanes) -> Lanes {
    let magnitudes = values.magnitudes
    // Beside 0.5 the last place of a float is 2^-24, the unit of subnormal numbers.
    let subnormal = (magnitudes + 0.5) - 0.5
    let signed = Lanes(bitPatterns: subnormal.bitPatterns | (values.bitPatterns & 0x8000_0000))
    return round(values).replacing(with: signed, where: magnitudes .< 0x1p-14)
  }
}

enum BF16Parameters: ParameterType {
  @inline(__always) static var smallest: Float { 0x1p-100 }
  @inline(__always) static var limit: Float { 0x1p126 }

  @inline(__always)
  static func round(_ value: Float) -> Float {
    let bits = value.bitPattern
    return Float(bitPattern: (bits &+ 0x7FFF &+ (bits &>> 16 & 1)) & 0xFFFF_0000)
  }

  @inline(__always)
  static func round(_ values: Lanes) -> Lanes {
    let bits = values.bitPatterns
    return Lanes(bitPatterns: (bits &+ 0x7FFF &+ (bits &>> 16 & 1)) & 0xFFFF_0000)
  }
}

enum F32Parameters: ParameterType {
  @inline(__always) static var smallest: Float { 0x1p-100 }
  @inline(__always) static var limit: Float { 0x1p126 }
  @inline(__always) static func round(_ value: Float) -> Float { value }
  @inline(__always) static func round(_ values: Lanes) -> Lanes { values }
}
