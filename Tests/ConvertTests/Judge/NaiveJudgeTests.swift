import Testing

/// The judge itself, held to what other programs made and to numbers worked out by hand.
@Suite struct NaiveJudgeTests {
  @Test(arguments: ["f16", "bf16", "f32"], [32, 64, 128])
  func packsAndDecodesAsMLXDoes(_ type: String, _ groupSize: Int) throws {
    let file = try NaiveFile(
      path: SharedFixture.path("mlx/affine_\(type)_g\(groupSize).safetensors"))
    let float = NaiveFloat.named(type.uppercased())
    let input = try #require(file.tensors["input"]).values
    for bits in [2, 3, 4, 5, 6, 8] {
      let groups = stride(from: 0, to: input.count, by: groupSize).map {
        NaiveGroup.mlx(Array(input[$0..<$0 + groupSize]), bits: bits, type: float)
      }
      func stored(_ part: String) throws -> [UInt8] {
        try #require(file.tensors["b\(bits).\(part)"]).bytes
      }
      let codes = groups.flatMap(\.codes)
      #expect(try naivelyPacked(codes, bits: bits) == stored("weight"))
      #expect(try naivelyUnpacked(stored("weight"), bits: bits) == codes)
      #expect(try float.encode(groups.map(\.scale)) == stored("scales"))
      #expect(try float.encode(groups.map(\.bias)) == stored("biases"))
      #expect(try float.encode(groups.flatMap(\.decoded)) == stored("dequantized"))
    }
  }

  /// Codes and values of the OCP specification and of ml_dtypes' FNUZ types.
  @Test(
    arguments: [
      ("F8_E4M3", 0x38, 1), ("F8_E4M3", 0x7E, 448), ("F8_E4M3", 0x01, 0x1p-9),
      ("F8_E5M2", 0xBC, -1), ("F8_E5M2", 0x7B, 57344), ("F8_E5M2", 0x03, 0x1.8p-15),
      ("F8_E4M3FNUZ", 0x40, 1), ("F8_E4M3FNUZ", 0x7F, 240), ("F8_E4M3FNUZ", 0x81, -0x1p-10),
      ("F8_E5M2FNUZ", 0x40, 1), ("F8_E5M2FNUZ", 0x7F, 57344), ("F16", 0x3555, 0x1.554p-2),
      ("F16", 0x0001, 0x1p-24), ("F16", 0xFBFF, -65504), ("BF16", 0x4049, 3.140625),
    ] as [(String, UInt64, Double)])
  func codesStandForTheirNumbers(_ type: String, _ code: UInt64, _ value: Double) {
    let float = NaiveFloat.named(type)
    #expect(float.value(code) == value && float.code(value) == code)
  }

  /// A tie goes to the even fraction; half a unit above the largest number is infinity.
  @Test func numbersAreRoundedToNearestEven() {
    #expect(NaiveFloat.f16.round(2049) == 2048 && NaiveFloat.f16.round(2051) == 2052)
    #expect(NaiveFloat.f16.round(65519) == 65504 && NaiveFloat.f16.round(65520) == .infinity)
    #expect(NaiveFloat.f16.round(0x1p-25) == 0 && NaiveFloat.f16.round(0x1.8p-25) == 0x1p-24)
    #expect(NaiveFloat.bf16.round(0x1.01p0) == 1 && NaiveFloat.bf16.round(-0x1.03p0) == -0x1.04p0)
  }

  @Test func blocksAtTheEdgeAreCutOff() {
    let matrix = NaiveMatrix([3, 3], Array(repeating: 1, count: 9))
    #expect(
      matrix.scaled(by: [1, 2, 3, 4], blockRows: 2, blockColumns: 2).values
        == [1, 1, 2, 1, 1, 2, 3, 3, 4])
    let stack = NaiveMatrix([2, 1, 3], [1, 2, 3, 4, 5, 6]).transposed
    #expect(stack.shape == [2, 3, 1] && stack.values == [1, 2, 3, 4, 5, 6])
    #expect(NaiveMatrix([2, 3], [1, 2, 3, 4, 5, 6]).transposed.values == [1, 4, 2, 5, 3, 6])
  }

  /// Of four levels one may be spent on an outlier, or not: what counts decides.
  @Test func bruteForceFollowsTheImportance() {
    let weights = (0..<32).map { $0 == 7 ? 1.5 : Double($0 % 4) * 0.25 }
    func best(_ importance: [Double]?) -> NaiveGroup {
      .bruteForce(weights, bits: 2, type: .f32, importance: importance, largestMove: 100)
    }
    let plain = best(nil)
    let minMax = NaiveGroup.minMax(weights, bits: 2, type: .f32)
    #expect(plain.squaredError(weights) < 0.9 * minMax.squaredError(weights))
    let importance = weights.map { $0 == 1.5 ? 0.0 : 1 }
    let others = best(importance).squaredError(weights, importance: importance)
    #expect(others < 1e-3 && others < 0.01 * plain.squaredError(weights, importance: importance))
  }
}
