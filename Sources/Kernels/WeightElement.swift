/// Types that weights are stored in where kernels read them from their bytes, and how they are loaded.
///
/// Everything that a kernel is given is numbers and spans, so that the same source can be built for
/// several instruction sets: a type of one build is not that of another.
protocol WeightElement {
  static var byteCount: Int { get }
  /// The number at a byte offset that the caller has checked. Finite.
  static func load(_ bytes: RawSpan, _ offset: Int) -> Float
  /// Smallest and largest of `count` numbers from a byte offset on; of zeros of both signs that are one
  /// of them, the first counts.
  static func range(_ bytes: RawSpan, _ offset: Int, _ count: Int) -> (low: Float, high: Float)
}

extension WeightElement {
  @inline(__always)
  static func rangeInOrder(_ bytes: RawSpan, _ offset: Int, _ count: Int) -> (
    low: Float, high: Float
  ) {
    var low = load(bytes, offset)
    var high = low
    for index in 0..<count {
      let weight = load(bytes, offset &+ index &* byteCount)
      low = weight < low ? weight : low
      high = weight > high ? weight : high
    }
    return (low, high)
  }
}

/// Elements of 16 bits: sign, then exponent and fraction as one number that grows with the magnitude.
protocol HalfElement: WeightElement {
  static func value(_ pattern: Int16) -> Float
}

extension HalfElement {
  @inline(__always) static var byteCount: Int { 2 }

  @inline(__always)
  static func pattern(_ bytes: RawSpan, _ offset: Int) -> Int16 {
    // Every bit pattern of an integer is a value; the caller has checked the bounds.
    unsafe Int16(
      littleEndian: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: Int16.self))
  }

  @inline(__always)
  static func load(_ bytes: RawSpan, _ offset: Int) -> Float { value(pattern(bytes, offset)) }

  @inline(__always)
  static func range(_ bytes: RawSpan, _ offset: Int, _ count: Int) -> (low: Float, high: Float) {
    // With the magnitude of negative patterns turned over, integers have the order of the numbers, and
    // their extremes may be looked for in any order.
    var least = Int16.max
    var most = Int16.min
    for index in 0..<count {
      let pattern = pattern(bytes, offset &+ 2 &* index)
      let ordered = pattern ^ (pattern >> 15 & 0x7FFF)
      least = min(least, ordered)
      most = max(most, ordered)
    }
    let low = value(least ^ (least >> 15 & 0x7FFF))
    let high = value(most ^ (most >> 15 & 0x7FFF))
    return low == 0 || high == 0 ? rangeInOrder(bytes, offset, count) : (low, high)
  }
}

enum F16Element: HalfElement {
  @inline(__always)
  static func value(_ pattern: Int16) -> Float {
    // Shifted into place the pattern is the value times 2^-112, subnormals included. Widened with its
    // sign, one mask leaves sign and magnitude in their places.
    let widened = UInt32(bitPattern: Int32(pattern))
    return Float(bitPattern: (widened &<< 13) & 0x8FFF_E000) * 0x1p112
  }
}

enum BF16Element: HalfElement {
  @inline(__always)
  static func value(_ pattern: Int16) -> Float {
    Float(bitPattern: UInt32(UInt16(bitPattern: pattern)) &<< 16)
  }
}

enum F32Element: WeightElement {
  @inline(__always) static var byteCount: Int { 4 }

  @inline(__always)
  static func load(_ bytes: RawSpan, _ offset: Int) -> Float {
    Float(
      bitPattern: unsafe UInt32(
        littleEndian: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt32.self)))
  }

  @inline(__always)
  static func range(_ bytes: RawSpan, _ offset: Int, _ count: Int) -> (low: Float, high: Float) {
    // As integers in the order of the numbers, as above: vectors, where floats are one chain.
    var least = Int32.max
    var most = Int32.min
    for index in 0..<count {
      let pattern = Int32(bitPattern: load(bytes, offset &+ 4 &* index).bitPattern)
      let ordered = pattern ^ (pattern >> 31 & 0x7FFF_FFFF)
      least = min(least, ordered)
      most = max(most, ordered)
    }
    let low = Float(bitPattern: UInt32(bitPattern: least ^ (least >> 31 & 0x7FFF_FFFF)))
    let high = Float(bitPattern: UInt32(bitPattern: most ^ (most >> 31 & 0x7FFF_FFFF)))
    return low == 0 || high == 0 ? rangeInOrder(bytes, offset, count) : (low, high)
  }
}
