import Formats
import Testing

@Suite struct ElementVectorTests {
  /// Every pattern is decoded as torch decodes it, NaN payloads included. Only that torch makes the
  /// signalling NaNs of F16 quiet, as processors do, and decant leaves them.
  @Test(arguments: [("f16_decode", DType.f16), ("bf16_decode", .bf16)])
  func all65536PatternsDecodeExactly(_ file: String, _ dtype: DType) throws {
    let expected = try Fixture.open("dtypes/\(file).safetensors").words("value")
    let bytes = (0..<65536).flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
    var values = [Float](repeating: 0, count: 65536)
    #expect(ElementDecoder.decode(bytes, count: 65536, as: dtype, into: &values))
    for (pattern, value) in values.enumerated() {
      let quietBit: UInt32 = dtype == .f16 && value.isNaN ? 0x0040_0000 : 0
      if value.bitPattern | quietBit != expected[pattern] {
        Issue.record("pattern \(pattern): \(value), not \(Float(bitPattern: expected[pattern]))")
      }
    }
  }

  @Test(arguments: [
    ("float8_e4m3fn", DType.f8E4M3), ("float8_e5m2", .f8E5M2), ("float8_e8m0fnu", .f8E8M0),
    ("float8_e4m3fnuz", .f8E4M3FNUZ), ("float8_e5m2fnuz", .f8E5M2FNUZ), ("fp4_e2m1", .f4),
    ("fp6_e2m3", .f6E2M3), ("fp6_e3m2", .f6E3M2),
  ])
  func allCodesOfASmallFloatDecodeExactly(_ name: String, _ dtype: DType) throws {
    let expected = try Fixture.open("dtypes/small_float_decode.safetensors").words(name)
    let table = try #require(SmallFloat.table(dtype))
    #expect(table.count == expected.count)
    for (code, value) in table.enumerated() {
      let wanted = Float(bitPattern: expected[code])
      // Codes have no payload to keep: a NaN is a NaN.
      #expect(
        value.isNaN && wanted.isNaN || value.bitPattern == wanted.bitPattern,
        "code \(code): \(value), not \(wanted)")
    }
  }

  @Test func narrowingRoundsAsTorchDoes() throws {
    let file = try Fixture.open("dtypes/rounding.safetensors")
    let inputs = try file.words("f32").map { Float(bitPattern: $0) }
    let f16 = try file.halves("f16")
    let bf16 = try file.halves("bf16")
    #expect(inputs.count == 2889)
    for (index, input) in inputs.enumerated() {
      let toF16 = HalfPrecision.floatToF16(input)
      let toBF16 = HalfPrecision.floatToBF16(input)
      #expect(toF16 == f16[index], "F16 of \(input)")
      #expect(toBF16 == bf16[index], "BF16 of \(input)")
    }
  }

  @Test(arguments: [("f16", ScaleType.f16), ("bf16", .bf16), ("f32", .f32)])
  func encodingWritesLittleEndianElements(_ name: String, _ type: ScaleType) throws {
    let file = try Fixture.open("dtypes/rounding.safetensors")
    let inputs = try file.words("f32").map { Float(bitPattern: $0) }
    var bytes = [UInt8](repeating: 0, count: inputs.count * type.byteCount)
    ElementEncoder.encode(inputs, count: inputs.count, as: type, into: &bytes)
    let expected = try file.bytes(name)
    #expect(bytes == expected)
  }

  /// Widening and narrowing again gives the pattern back; only signalling NaNs become quiet.
  @Test func everyPatternSurvivesTheWayThere() {
    for pattern in UInt16.min...UInt16.max {
      let f16 = HalfPrecision.f16ToFloat(pattern)
      let f16Back = HalfPrecision.floatToF16(f16)
      if f16.isNaN ? !HalfPrecision.f16ToFloat(f16Back).isNaN : f16Back != pattern {
        Issue.record("F16 pattern \(pattern) comes back as \(f16Back)")
      }
      let bf16 = HalfPrecision.bf16ToFloat(pattern)
      let bf16Back = HalfPrecision.floatToBF16(bf16)
      if bf16.isNaN ? !HalfPrecision.bf16ToFloat(bf16Back).isNaN : bf16Back != pattern {
        Issue.record("BF16 pattern \(pattern) comes back as \(bf16Back)")
      }
    }
  }

  @Test(
    arguments: [
      (DType.bool, [0], 0), (.bool, [1], 1), (.bool, [255], 1), (.u8, [255], 255), (.i8, [255], -1),
      (.u16, [1, 128], 32769), (.i16, [1, 128], -32767),
      (.u32, [255, 255, 255, 255], 4_294_967_296), (.i32, [254, 255, 255, 255], -2),
      (.u64, [0, 0, 0, 0, 0, 0, 0, 128], 0x1p63), (.i64, [0, 0, 0, 0, 0, 0, 0, 128], -0x1p63),
      (.f64, [0, 0, 0, 0, 0, 0, 248, 191], -1.5), (.f32, [0, 0, 192, 63], 1.5),
    ] as [(DType, [UInt8], Float)])
  func otherTypesDecodeToTheirValue(_ dtype: DType, _ bytes: [UInt8], _ expected: Float) {
    var values: [Float] = [.nan]
    #expect(ElementDecoder.decode([9] + bytes, byteOffset: 1, count: 1, as: dtype, into: &values))
    #expect(values == [expected])
  }

  @Test(arguments: [DType.c64, .f4, .f6E2M3, .f6E3M2])
  func typesWithoutAMeaningInWholeBytesAreNotDecoded(_ dtype: DType) {
    var values: [Float] = [0]
    #expect(
      !ElementDecoder.decode(
        [UInt8](repeating: 0, count: 8), count: 1, as: dtype, into: &values))
  }

  /// The short form gives what the full one does, where it may be used.
  @Test func finitePatternsAreDecodedAsAllAre() {
    for pattern in UInt16.min...UInt16.max where pattern & 0x7FFF < 0x7C00 {
      let (short, full) = (
        HalfPrecision.f16ToFloat(finite: pattern), HalfPrecision.f16ToFloat(pattern)
      )
      #expect(short.bitPattern == full.bitPattern)
    }
  }
}
