/// Turns stored elements into numbers.
package enum ElementDecoder {
  /// Decodes `count` elements to `Float`.
  ///
  /// F16, BF16, F32 and the 8-bit floats are exact; F64 and integers beyond 24 bits are rounded to
  /// nearest even. BOOL is 0 or 1, and any byte but 0 counts as 1.
  ///
  /// - Parameters:
  ///   - bytes: little-endian elements, at least `count` of them from `byteOffset` on.
  ///   - values: receives the elements, from its start.
  /// - Returns: false for a type without a meaning as a real number in whole bytes (C64, F4, F6).
  package static func decode(
    _ bytes: [UInt8], byteOffset: Int = 0, count: Int, as dtype: DType, into values: inout [Float]
  ) -> Bool {
    precondition(count >= 0 && values.count >= count && byteOffset >= 0)
    precondition(dtype.bitCount < 8 || bytes.count - byteOffset >= count * (dtype.bitCount / 8))
    let source = bytes.span
    var output = values.mutableSpan
    switch dtype {
    case .f16:
      var largest: UInt16 = 0
      for i in 0..<count {
        let bits = source.loadUncheckedLittleEndian(at: byteOffset &+ 2 &* i, as: UInt16.self)
        largest = max(largest, bits & 0x7FFF)
      }
      if largest < 0x7C00 {
        for i in 0..<count {
          output[i] = HalfPrecision.f16ToFloat(
            finite: source.loadUncheckedLittleEndian(at: byteOffset &+ 2 &* i, as: UInt16.self))
        }
      } else {
        for i in 0..<count {
          output[i] = HalfPrecision.f16ToFloat(
            source.loadUncheckedLittleEndian(at: byteOffset &+ 2 &* i, as: UInt16.self))
        }
      }
    case .bf16:
      for i in 0..<count {
        output[i] = HalfPrecision.bf16ToFloat(
          source.loadUncheckedLittleEndian(at: byteOffset &+ 2 &* i, as: UInt16.self))
      }
    case .f32:
      for i in 0..<count {
        output[i] = Float(
          bitPattern: source.loadUncheckedLittleEndian(at: byteOffset &+ 4 &* i, as: UInt32.self))
      }
    case .f8E4M3, .f8E5M2, .f8E8M0, .f8E4M3FNUZ, .f8E5M2FNUZ:
      guard let table = SmallFloat.table(dtype) else { return false }
      for i in 0..<count { output[i] = table[Int(source[byteOffset + i])] }
    default:
      for i in 0..<count {
        guard let value = double(source, byteOffset: byteOffset, index: i, as: dtype) else {
          return false
        }
        output[i] = Float(value)
      }
    }
    return true
  }

  /// Decodes elements `start` and following of `bytes` into all of `values`.
  package static func decode(
    _ bytes: RawSpan, from start: Int, as type: ScaleType, into values: inout [Float]
  ) {
    let size = type.byteCount
    for index in values.indices {
      let offset = (start + index) * size
      // Every bit pattern of an integer is a value.
      values[index] =
        switch type {
        case .f16:
          HalfPrecision.f16ToFloat(
            unsafe UInt16(
              littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self)))
        case .bf16:
          HalfPrecision.bf16ToFloat(
            unsafe UInt16(
              littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self)))
        case .f32:
          Float(
            bitPattern: unsafe UInt32(
              littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self)))
        }
    }
  }

  /// One element as a `Double`: exact for every type but integers beyond 53 bits, which are
  /// rounded to nearest even. Nil as for `decode`.
  package static func double(
    _ bytes: Span<UInt8>, byteOffset: Int = 0, index: Int, as dtype: DType
  ) -> Double? {
    let offset = byteOffset + index * (dtype.bitCount / 8)
    switch dtype {
    case .bool: return bytes[offset] == 0 ? 0 : 1
    case .u8: return Double(bytes[offset])
    case .i8: return Double(Int8(bitPattern: bytes[offset]))
    case .u16: return Double(bytes.loadLittleEndian(at: offset, as: UInt16.self))
    case .i16: return Double(bytes.loadLittleEndian(at: offset, as: Int16.self))
    case .u32: return Double(bytes.loadLittleEndian(at: offset, as: UInt32.self))
    case .i32: return Double(bytes.loadLittleEndian(at: offset, as: Int32.self))
    case .u64: return Double(bytes.loadLittleEndian(at: offset, as: UInt64.self))
    case .i64: return Double(bytes.loadLittleEndian(at: offset, as: Int64.self))
    case .f64: return Double(bitPattern: bytes.loadLittleEndian(at: offset, as: UInt64.self))
    case .f32:
      return Double(Float(bitPattern: bytes.loadLittleEndian(at: offset, as: UInt32.self)))
    case .f16:
      return Double(
        HalfPrecision.f16ToFloat(bytes.loadLittleEndian(at: offset, as: UInt16.self)))
    case .bf16:
      return Double(
        HalfPrecision.bf16ToFloat(bytes.loadLittleEndian(at: offset, as: UInt16.self)))
    case .f8E4M3, .f8E5M2, .f8E8M0, .f8E4M3FNUZ, .f8E5M2FNUZ:
      return SmallFloat.table(dtype).map { Double($0[Int(bytes[offset])]) }
    case .c64, .f4, .f6E2M3, .f6E3M2: return nil
    }
  }
}
