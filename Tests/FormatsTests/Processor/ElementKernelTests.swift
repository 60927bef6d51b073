import Formats
import TestSupport
import Testing

/// Kernels of every level that this processor has, against definitions written down one number at a time.
@Suite struct ElementKernelTests {
  static let levels = ProcessorLevel.allCases.filter { $0 <= .highest }

  @Test(arguments: levels)
  func packingIsOneStreamOfBits(_ level: ProcessorLevel) {
    var noise = Noise(seed: 3)
    for bits in 2...8 {
      for count in [8, 16, 24, 32, 64, 128, 1000] {
        let codes = (0..<count).map { _ in UInt8.random(in: 0..<UInt8(1 << bits - 1), using: &noise)
        }
        let expected = naivelyPacked(codes.map(Int.init), bits: bits)
        var packed = [UInt8](repeating: 0xAA, count: expected.count + 3)
        var output = packed.mutableSpan
        ElementKernels.pack(codes.span, count: count, bits: bits, into: &output, level: level)
        // What lies behind is left alone.
        #expect(packed == expected + [0xAA, 0xAA, 0xAA], "\(bits) bits, \(count) codes")
        var unpacked = [UInt8](repeating: 0xAA, count: count + 3)
        var back = unpacked.mutableSpan
        ElementKernels.unpack(expected.span, count: count, bits: bits, into: &back, level: level)
        #expect(unpacked == codes + [0xAA, 0xAA, 0xAA], "\(bits) bits, \(count) codes")
      }
    }
  }

  /// With code 1 and no bias a scale decodes to what it is rounded to: all over the range, with
  /// fractions on both sides of ties.
  @Test(arguments: levels, [ScaleType.f16, .bf16])
  func decodingRoundsToNearestEven(_ level: ProcessorLevel, _ type: ScaleType) throws {
    let layout = try #require(AffineLayout(bits: 2, groupSize: 32))
    let float = NaiveFloat.named(type.rawValue)
    let fractions: [UInt32] = [
      0, 1, 0x0FFF, 0x1000, 0x1001, 0x2FFF, 0x3000, 0x7FFF, 0x8000, 0x8001, 0xEFFF, 0xFFFF,
    ]
    // The most that two roundings leave finite three times over.
    let exponents: StrideTo<UInt32> =
      type == .f16
      ? stride(from: 0x3900, to: 0x4600, by: 5) : stride(from: 0x1000, to: 0x7D00, by: 61)
    let scales = exponents.flatMap { high in
      fractions.flatMap { low in
        [0, 0x8000_0000].map { Float(bitPattern: high << 16 | low | $0) }
      }
    }
    let codes = [UInt8](repeating: 1, count: 32 * scales.count)
    let biases = [Float](repeating: 0, count: scales.count)
    var decoded = [Float](repeating: .nan, count: codes.count)
    var output = decoded.mutableSpan
    let done = ElementKernels.dequantize(
      codes.span, scales: scales.span, biases: biases.span, from: 0, groupCount: scales.count,
      layout, type, into: &output, level: level)
    #expect(done == scales.count)
    let wrong = scales.indices.filter { group in
      let expected = Float(float.round(Double(scales[group])))
      return !decoded[32 * group..<32 * group + 32].allSatisfy { $0 == expected }
    }
    #expect(wrong.isEmpty, "\(wrong.count), as \(wrong.first.map { scales[$0] } ?? 0)")
  }

  /// Sums that fall below the normal range of F16 are exact.
  @Test(arguments: levels)
  func subnormalSumsAreExact(_ level: ProcessorLevel) throws {
    let layout = try #require(AffineLayout(bits: 2, groupSize: 32))
    let scale: Float = 0x1.004p-13
    let biases = (0..<1024).map { -scale + Float($0) * 0x1p-24 }
    let scales = [Float](repeating: scale, count: biases.count)
    let codes = [UInt8](repeating: 1, count: 32 * scales.count)
    var decoded = [Float](repeating: .nan, count: codes.count)
    var output = decoded.mutableSpan
    let done = ElementKernels.dequantize(
      codes.span, scales: scales.span, biases: biases.span, from: 0, groupCount: scales.count,
      layout, .f16, into: &output, level: level)
    #expect(done == scales.count)
    for group in biases.indices { #expect(decoded[32 * group] == Float(group) * 0x1p-24) }
  }

  @Test(arguments: levels, [ScaleType.f16, .bf16])
  func everyPatternIsKnownToBeFiniteOrNot(_ level: ProcessorLevel, _ type: ScaleType) {
    let float = NaiveFloat.named(type.rawValue)
    for pattern in UInt16.min...UInt16.max {
      // Last of an odd number, behind what is finite.
      let bytes = [UInt8](repeating: 0, count: 34) + [UInt8(pattern & 0xFF), UInt8(pattern >> 8)]
      let isFinite = float.value(UInt64(pattern)).isFinite
      #expect(ElementKernels.areFinite(bytes, count: 18, as: type, level: level) == isFinite)
      #expect(ElementKernels.areFinite(bytes, count: 17, as: type, level: level))
    }
  }

  /// Every kind of number: ties, subnormals, the edges of the range, infinity, NaN.
  @Test(arguments: levels, [ScaleType.f16, .bf16])
  func numbersAreStoredAsTheDefinitionSays(_ level: ProcessorLevel, _ type: ScaleType) throws {
    let float = NaiveFloat.named(type.rawValue)
    var noise = Noise(seed: 12)
    var values: [Float] = [0, -0.0, .infinity, -.infinity, 65519.996, 65520, 65535, 65536, 0x1p-25]
    values += [0x1.8p-25, 0x1p-24, 0x1.FFCp-15, 0x1.FFEp-15, 0x1p-14, .greatestFiniteMagnitude]
    values += [Float.leastNormalMagnitude, .leastNonzeroMagnitude, 0x1.FEp127, 0x1.FFp127]
    for exponent in UInt32(0)..<255 {
      for low in [0, 0x0FFF, 0x1000, 0x1001, 0x3000, 0x7FFF, 0x8000, 0x8001, 0x1_8000] as [UInt32] {
        let sign = UInt32.random(in: 0...1, using: &noise) << 31
        values.append(Float(bitPattern: sign | exponent << 23 | low))
      }
    }
    var bytes = [UInt8](repeating: 0xAA, count: 2 * values.count + 1)
    var output = bytes.mutableSpan
    ElementKernels.encodeHalves(
      values.span, count: values.count, as: type == .f16 ? .f16 : .bf16, into: &output,
      level: level)
    #expect(bytes.last == 0xAA)
    let stored = float.decode(Array(bytes.dropLast()))
    for (value, found) in zip(values, stored) {
      let expected = float.round(Double(value))
      #expect(found == expected && found.sign == expected.sign, "\(value)")
    }
    for (payload, negative) in [(0x7FC0_0000, false), (0x7F80_0001, false), (0xFFFF_FFFF, true)]
      as [(UInt32, Bool)]
    {
      var pair = [UInt8](repeating: 0, count: 2)
      var output = pair.mutableSpan
      ElementKernels.encodeHalves(
        [Float(bitPattern: payload)].span, count: 1, as: type == .f16 ? .f16 : .bf16,
        into: &output, level: level)
      #expect(float.decode(pair)[0].isNaN && (pair[1] & 0x80 != 0) == negative)
    }
  }

  @Test(arguments: levels) func theLargestMagnitudeIsFound(_ level: ProcessorLevel) {
    for count in [1, 2, 7, 8, 9, 33] {
      for place in 0..<count {
        var values = (0..<count).map { Float($0 % 5) - 2 }
        values[place] = -7.5
        #expect(
          ElementKernels.largestMagnitude(values.span, count: count, level: level) == 7.5)
        values[place] = -.infinity
        #expect(
          ElementKernels.largestMagnitude(values.span, count: count, level: level) == .infinity)
        values[place] = -.nan
        #expect(
          ElementKernels.largestMagnitude(values.span, count: count, level: level).isNaN)
      }
    }
    #expect(ElementKernels.largestMagnitude([Float]().span, count: 0, level: level) == 0)
  }

  @Test func aLevelIsTheHighestOrALowerOneThatIsWanted() {
    #expect(ProcessorLevel.chosen(nil, highest: .avx2) == .avx2)
    #expect(ProcessorLevel.chosen("baseline", highest: .avx2) == .baseline)
    #expect(ProcessorLevel.chosen("avx2", highest: .baseline) == .baseline)
    #expect(ProcessorLevel.chosen("sse9", highest: .avx2) == .avx2)
    #expect(ProcessorLevel.current <= .highest)
  }
}
