extension BlockLayout {
  /// Scales and biases of all sub-blocks of the first `blockCount` blocks, as decoding uses them.
  ///
  /// - Parameter groups: receives them, and must have room; codes are left alone.
  package func decodeParameters(
    _ bytes: [UInt8], blockCount: Int, into groups: inout PackedGroups
  ) {
    precondition(bytes.count / type.blockByteCount >= blockCount)
    let count = subBlocksPerBlock
    precondition(min(groups.scales.count, groups.biases.count) >= blockCount * count)
    let source = bytes.span
    for block in 0..<blockCount {
      let stored = source.extracting(
        block * type.blockByteCount..<(block + 1) * type.blockByteCount)
      let first = block * count
      for index in 0..<count { groups.biases[first + index] = -0.0 }
      switch type {
      case .mxfp4: groups.scales[first] = Self.halfPower(stored[0])
      case .nvfp4:
        for index in 0..<count { groups.scales[first + index] = Self.halfMinifloat(stored[index]) }
      default:
        let factor = HalfPrecision.f16ToFloat(
          stored.loadLittleEndian(at: scaleOffset, as: UInt16.self))
        guard count > 1 else {
          groups.scales[first] = factor
          if isAffine {
            groups.biases[first] = HalfPrecision.f16ToFloat(
              stored.loadLittleEndian(at: scaleOffset + 2, as: UInt16.self))
          }
          continue
        }
        for index in 0..<count {
          groups.scales[first + index] = factor * Float(scaleCode(index, in: stored))
        }
        guard isAffine else { continue }
        let minimum = HalfPrecision.f16ToFloat(
          stored.loadLittleEndian(at: scaleOffset + 2, as: UInt16.self))
        for index in 0..<count {
          groups.biases[first + index] = -(minimum * Float(minimumCode(index, in: stored)))
        }
      }
    }
  }

  /// Byte of a block at which its F16 scale lies; that of biases is behind it.
  var scaleOffset: Int {
    switch type {
    case .q2_K: 80
    case .q3_K: 108
    case .q6_K: 208
    default: 0
    }
  }

  /// What the block's scale is multiplied with for a sub-block.
  private func scaleCode(_ index: Int, in block: Span<UInt8>) -> Int {
    switch type {
    case .q2_K: Int(block[index] & 15)
    case .q3_K:
      Int(block[96 + index % 8] >> (index < 8 ? 0 : 4) & 15)
        | Int(block[104 + index % 4] >> UInt8(2 * (index / 4)) & 3) << 4 - 32
    case .q6_K: Int(Int8(bitPattern: block[192 + index]))
    case .iq4_XS:
      (Int(block[4 + index / 2] >> (index % 2 == 0 ? 0 : 4) & 15)
        | Int(block[2 + index / 4] >> UInt8(2 * (index % 4)) & 3) << 4) - 32
    // Q4_K, Q5_K: the first four have six bits to themselves, those of the others are on top of the first's.
    default:
      index < 4
        ? Int(block[4 + index] & 63)
        : Int(block[8 + index] & 15) | Int(block[index] >> 6) << 4
    }
  }

  /// The same of the minimum that a bias takes off.
  private func minimumCode(_ index: Int, in block: Span<UInt8>) -> Int {
    guard type != .q2_K else { return Int(block[index] >> 4) }
    return index < 4
      ? Int(block[8 + index] & 63)
      : Int(block[8 + index] >> 4) | Int(block[4 + index] >> 6) << 4
  }

  /// The inverse of `scaleCode` and `minimumCode`: sets the bits of one sub-block of the block that begins at
  /// byte `start`. For the types with sub-blocks that are written.
  func storeCodes(
    scale: Int, minimum: Int, of index: Int, at start: Int, into bytes: inout [UInt8]
  ) {
    func set(_ bits: Int, _ place: Int, shift: Int, width: Int) {
      let mask = UInt8(1 << width - 1) << UInt8(shift)
      bytes[start + place] = bytes[start + place] & ~mask | UInt8(bits) << UInt8(shift) & mask
    }
    switch type {
    case .q2_K:
      set(scale, index, shift: 0, width: 4)
      set(minimum, index, shift: 4, width: 4)
    case .q3_K:
      set((scale + 32) & 15, 96 + index % 8, shift: index < 8 ? 0 : 4, width: 4)
      set((scale + 32) >> 4, 104 + index % 4, shift: 2 * (index / 4), width: 2)
    case .q6_K: bytes[start + 192 + index] = UInt8(truncatingIfNeeded: scale)
    default:
      guard index >= 4 else {
        set(scale, 4 + index, shift: 0, width: 6)
        set(minimum, 8 + index, shift: 0, width: 6)
        return
      }
      set(scale & 15, 8 + index, shift: 0, width: 4)
      set(minimum & 15, 8 + index, shift: 4, width: 4)
      set(scale >> 4, index, shift: 6, width: 2)
      set(minimum >> 4, 4 + index, shift: 6, width: 2)
    }
  }

  /// Half of the power of two that an E8M0 code stands for; 255 is no NaN here.
  ///
  /// Source: ggml, `ggml-impl.h`, `ggml_e8m0_to_fp32_half`.
  private static func halfPower(_ code: UInt8) -> Float {
    Float(bitPattern: code < 2 ? 0x0020_0000 << UInt32(code) : UInt32(code - 1) << 23)
  }

  /// Half of what an E4M3 code without a sign stands for; 127, its NaN, counts as zero.
  ///
  /// Source: ggml, `ggml-impl.h`, `ggml_ue4m3_to_fp32`.
  private static func halfMinifloat(_ code: UInt8) -> Float {
    let (exponent, fraction) = (Int(code >> 3 & 15), Float(code & 7))
    guard code != 0x7F else { return 0 }
    return exponent == 0
      ? Float(sign: .plus, exponent: -10, significand: fraction)
      : Float(sign: .plus, exponent: exponent - 11, significand: 8 + fraction)
  }
}
