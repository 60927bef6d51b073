/// Types that scales and biases are stored in, and rounding to them where nothing is special: no
/// overflow, no subnormal number, no NaN.
protocol ParameterType {
  /// Least magnitude of a plain scale, and of a plain bias but 0.
  static var smallest: Float { get }
  /// Largest magnitude of plain products and biases.
  static var limit: Float { get }
  static func round(_ value: Float) -> Float
  static func round(_ values: Lanes) -> Lanes
}

extension ParameterType {
  /// Whether a scale and a bias, not rounded yet, can be rounded plainly, and all that codes decode to
  /// with them: products are then normal or 0, and sums below the normal range exact. False for NaN.
  @inline(__always)
  static func isPlain(_ scale: Lanes, _ bias: Lanes, steps: Float) -> LaneMask {
    let (size, offset) = (scale.magnitudes, bias.magnitudes)
    return (size .>= smallest) .& (size * steps .<= limit)
      .& ((offset .>= smallest) .| (offset .== 0)) .& (offset .<= limit)
  }

  /// The same of a scale and a bias that are numbers of the type; the bias may be of any size.
  @inline(__always)
  static func isPlain(stored scale: Float, _ bias: Float, steps: Float) -> Bool {
    scale.magnitude >= smallest && scale.magnitude * steps <= limit && bias.magnitude <= limit
  }
}

enum F16Parameters: ParameterType {
  // Twice the smallest normal number, half of the largest: rounding stays within.
  @inline(__always) static var smallest: Float { 0x1p-13 }
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
