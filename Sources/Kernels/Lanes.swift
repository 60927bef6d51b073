/// One number of each of eight groups.
typealias Lanes = SIMD8<Float>
typealias LaneMask = SIMDMask<SIMD8<Int32>>

extension SIMD8<Float> {
  @inline(__always)
  var bitPatterns: SIMD8<UInt32> { unsafe unsafeBitCast(self, to: SIMD8<UInt32>.self) }

  @inline(__always)
  init(bitPatterns: SIMD8<UInt32>) {
    self = unsafe unsafeBitCast(bitPatterns, to: SIMD8<Float>.self)
  }

  // Lane by lane: the standard library's conversions of whole vectors are generic, and become functions that
  // the levels would share.

  @inline(__always)
  var doubles: SIMD8<Double> {
    var doubles = SIMD8<Double>.zero
    for lane in 0..<8 { doubles[lane] = Double(self[lane]) }
    return doubles
  }

  @inline(__always)
  init(rounding doubles: SIMD8<Double>) {
    self = .zero
    for lane in 0..<8 { self[lane] = Float(doubles[lane]) }
  }

  /// Of numbers.
  @inline(__always)
  var largest: Float {
    var largest = self[0]
    for lane in 1..<8 where self[lane] > largest { largest = self[lane] }
    return largest
  }

  /// Adding and subtracting this rounds small numbers that are not negative to the nearest integers, ties
  /// to even: what follows the point no longer fits the mantissa.
  @inline(__always) static var rounding: Lanes { Lanes(repeating: 0x1.8p23) }

  /// The nearest whole number between 0 and `limit`, of numbers within 2^15 of 0; `rounding` is added.
  @inline(__always)
  func roundedCodes(limit: CodeLimit) -> Lanes {
    // Of each sum the lower half of the pattern is the number, the upper one that of `rounding`, or one
    // less where the number is negative. As halves, both are clamped by the two instructions that every
    // processor has for that; for floats it takes twice as many.
    var halves = unsafe unsafeBitCast(self + Lanes.rounding, to: SIMD16<Int16>.self)
    halves.replace(with: CodeLimit.least, where: halves .< CodeLimit.least)
    halves.replace(with: limit.most, where: halves .> limit.most)
    return unsafe unsafeBitCast(halves, to: Lanes.self)
  }

  @inline(__always)
  var magnitudes: Lanes { Lanes(bitPatterns: bitPatterns & 0x7FFF_FFFF) }
}

extension SIMD4<Double> {
  @inline(__always)
  var magnitudes: Self {
    let patterns = unsafe unsafeBitCast(self, to: SIMD4<UInt64>.self)
    return unsafe unsafeBitCast(patterns & 0x7FFF_FFFF_FFFF_FFFF, to: Self.self)
  }
}

/// The largest code, as `roundedCodes` needs it.
struct CodeLimit {
  let most: SIMD16<Int16>

  @inline(__always)
  init(_ steps: Float) { most = Self.halves(Int16(steps)) }

  @inline(__always) static var least: SIMD16<Int16> { halves(0) }

  @inline(__always)
  private static func halves(_ number: Int16) -> SIMD16<Int16> {
    let pattern = (0x1.8p23 as Float).bitPattern | UInt32(UInt16(bitPattern: number))
    return unsafe unsafeBitCast(SIMD8<UInt32>(repeating: pattern), to: SIMD16<Int16>.self)
  }
}

extension Span<Float> {
  /// The four numbers from an index on that the caller has checked.
  @inline(__always)
  func four(_ index: Int) -> SIMD4<Float> {
    unsafe bytes.unsafeLoadUnaligned(
      fromUncheckedByteOffset: index &* 4, as: SIMD4<Float>.self)
  }

  /// The eight, likewise.
  @inline(__always)
  func eight(_ index: Int) -> Lanes {
    unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index &* 4, as: Lanes.self)
  }
}

extension MutableSpan<Float> {
  /// Sets the eight numbers from an index on that the caller has checked.
  @inline(__always)
  mutating func setEight(_ lanes: Lanes, _ index: Int) {
    var bytes = unsafe mutableBytes
    unsafe bytes.storeBytes(of: lanes, toUncheckedByteOffset: index &* 4, as: Lanes.self)
  }
}
