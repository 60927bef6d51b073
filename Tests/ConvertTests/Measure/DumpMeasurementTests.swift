import Formats
import Stats
import Testing

@testable import Convert

/// A layer with inputs of width 4; keys and values of 80 for each token.
private let layer: [TestTensor] = [
  TestTensor(random: "model.layers.0.mlp.up_proj.weight", .bf16, [8, 4], seed: 1),
  TestTensor(random: "model.layers.0.self_attn.k_proj.weight", .bf16, [80, 4], seed: 2),
  TestTensor(random: "model.layers.0.self_attn.v_proj.weight", .bf16, [80, 4], seed: 3),
]
private let input = "model.layers.0.mlp.up_proj.input"

@Suite struct ActivationMeasurementTests {
  /// Steps are 1 and 2 for the tokens, 2 for the tensor; ties go to even:
  ///
  ///     token 0   7     3.25   -2.75   0.5     errors by token 0, .25, .25, .5; else 1, .75, .75, .5
  ///     token 1   14    1      3       -5      errors 0, 1, 1, 1
  @Test func symmetricRoundTripsByHand() throws {
    let folder = try MeasuredFolder(layer)
    let found = try folder.measure(
      input,
      [
        try folder.dump(
          TestTensor(input, .f32, [2, 4], values: [7, 3.25, -2.75, 0.5, 14, 1, 3, -5]))
      ],
      .withChannels)
    #expect(
      try found.error(.perToken, bits: 4)
        == QuantizationError(squaredNorm: 298.375, squaredError: 3.375, largestError: 1))
    #expect(
      try found.error(.perTensor, bits: 4)
        == QuantizationError(squaredNorm: 298.375, squaredError: 5.375, largestError: 1))
    #expect(isClose(found.sqnr(.perToken, bits: 4), 19.4648865, relative: 1e-6))
    #expect(found.kind == .activation)
    #expect(found.role == .mlpUp)
    #expect(found.layer == 0)
    #expect(found.shape == [2, 4])
    #expect(found.everyChannel?.absMax == [14, 3.25, 3, 5])
    #expect(found.everyChannel?.meanMagnitude == [10.5, 2.125, 2.875, 2.75])
    #expect(found.everyChannel?.meanSquare == [122.5, 5.78125, 8.28125, 12.625])
    #expect(found.tokens?.largest == 14)
    #expect(found.tokens?.median == 10.5)
    #expect(found.outliers?.features.map(\.channel) == [0])
    #expect(found.outliers?.features.map(\.tokenCount) == [2])
    #expect(found.outliers?.massiveCount == 0)
  }

  /// At 8 bits the step is 1: 63.5 and -1.5 go to even, 0.25 to 0.
  @Test func eightBitsHave127Steps() throws {
    let folder = try MeasuredFolder(layer)
    let found = try folder.measure(
      input, [try folder.dump(TestTensor(input, .f32, [1, 4], values: [-127, 63.5, -1.5, 0.25]))])
    #expect(try found.error(.perToken, bits: 8).squaredError == 0.5625)
    #expect(try found.error(.perTensor, bits: 8).squaredError == 0.5625)
  }

  /// Massive is beyond 100 and at least 1000 times the median magnitude (2402.17762).
  @Test(arguments: [ScaleType.f32, .bf16])
  func massiveActivations(_ type: ScaleType) throws {
    func massive(_ few: [Float], among small: Float) throws -> ActivationOutliers {
      let folder = try MeasuredFolder(layer)
      let values = few + Array(repeating: small, count: 100 - few.count)
      return try #require(
        try folder.measure(
          input, [try folder.dump(TestTensor(input, type, [25, 4], values: values))]
        ).outliers)
    }
    let first = try massive([0, 100, 0, 0, 0, -101, 100.5], among: 0.0625)
    #expect(first.massiveCount == 2)
    #expect(first.massive.map(\.value) == [-101, 100.5])
    #expect(first.massive.map(\.row) == [1, 1])
    #expect(first.massive.map(\.column) == [1, 2])
    // 1000 times the median is 1000, give or take the 0.4 % of an F32 median.
    let second = try massive([1008, 992, -1024], among: 1)
    #expect(second.massive.map(\.value) == [-1024, 1008])
    #expect(second.massiveCount == 2)
    let none = try massive([100], among: 0.0625)
    #expect(none.massiveCount == 0)
    #expect(none.massive.isEmpty)
    // More than are listed.
    let many = try massive(Array(repeating: 128, count: 40), among: 0.0625)
    #expect(many.massiveCount == 40)
    #expect(many.massive.map(\.column) == Array((0..<16).map { $0 % 4 }))
  }

  @Test func chunksAndFilesAreOneTensor() throws {
    let folder = try MeasuredFolder(layer)
    let values = randomValues(90 * 4, seed: 4)
    func part(_ name: String, _ tokens: Range<Int>) -> TestTensor {
      TestTensor(
        name, .bf16, [tokens.count, 4],
        values: Array(values[tokens.lowerBound * 4..<tokens.upperBound * 4]))
    }
    let whole = try folder.measure(
      input, [try folder.dump(part(input, 0..<90), as: "whole.safetensors")], .withChannels)
    let parts = try folder.measure(
      input,
      [
        try folder.dump(
          part(input + ".2", 60..<90), part(input + ".0", 0..<7), as: "one.safetensors"),
        try folder.dump(part(input + ".1", 7..<60), as: "two.safetensors"),
      ], .withChannels)
    #expect(parts.shape == whole.shape)
    let isSame = parts.distribution == whole.distribution
    #expect(isSame)
    #expect(parts.channels == whole.channels)
    #expect(parts.tokens == whole.tokens)
    for (part, one) in zip(parts.roundTrips, whole.roundTrips) {
      #expect(part.scheme == one.scheme && part.bits == one.bits)
      #expect(isClose(part.error.squaredError, one.error.squaredError, relative: 1e-9))
      #expect(part.error.largestError == one.error.largestError)
    }
    #expect(parts.roundTrips.count == 4)
  }

  @Test func aFileGivenTwiceIsReadOnce() throws {
    let folder = try MeasuredFolder(layer)
    let path = try folder.dump(TestTensor(input, .f32, [2, 4], values: randomValues(8, seed: 5)))
    let indirect = folder.source + "/../dump.safetensors"
    #expect(try folder.measure(input, [path, path, indirect]).distribution.count == 8)
  }

  /// Every chunk is a tile of its own.
  @Test func resultsDoNotDependOnTheNumberOfThreads() throws {
    let folder = try MeasuredFolder(layer)
    var generator = SplitMix64(seed: 6)
    let chunks = (0..<20).map { chunk in
      TestTensor(
        input + ".\(chunk)", .f32, [30, 4],
        values: (0..<120).map { _ in generator.gaussian() * Float(chunk + 1) })
    }
    try writeSafetensors(chunks, to: folder.path("dump.safetensors"))
    var options = MeasureOptions.withChannels
    options.filter = try NamePattern("*.input")
    let first = try folder.measure([folder.path("dump.safetensors")], options, threads: 1)
    for threads in [2, 7] {
      let other = try folder.measure([folder.path("dump.safetensors")], options, threads: threads)
      let isSame = zip(first, other).allSatisfy { $0.isIdentical(to: $1) }
      #expect(isSame && first.count == 1 && other.count == 1)
    }
    // The one scale is that of all chunks: no value is further from its code than half a step.
    let absMax = try #require(first.first?.distribution.absMax)
    let bound = Double(absMax) / 14 * (1 + 1e-6)
    let largest = try #require(first.first).error(.perTensor, bits: 4).largestError
    #expect(largest <= bound && largest > bound * 0.9)
  }
}

@Suite struct CacheMeasurementTests {
  private let key = "layers.0.key"

  /// Two bits between 0 and 3: the step is 1. A group of one token loses nothing.
  @Test func asymmetricRoundTripsByHand() throws {
    let folder = try MeasuredFolder([
      TestTensor(random: "model.layers.0.mlp.up_proj.weight", .bf16, [8, 4], seed: 1)
    ])
    let found = try folder.measure(
      key,
      [
        try folder.dump(
          TestTensor(key, .f32, [1, 2, 4], values: [0, 3, 1.25, 1.75, -8, -5, -6.5, -8]))
      ])
    #expect(
      try found.error(.perTokenGroup, bits: 2)
        == QuantizationError(
          squaredNorm: 9 + 1.5625 + 3.0625 + 64 + 25 + 42.25 + 64,
          // 1.5 steps from -8 go to even, to 2.
          squaredError: 0.0625 + 0.0625 + 0.25, largestError: 0.5))
    #expect(try found.error(.perChannelGroup, bits: 2).squaredError == 0)
    #expect(found.sqnr(.perChannelGroup, bits: 2) == .infinity)
    #expect(found.headMagnitudes == [3, 8])
    #expect(found.kind == .key)
    #expect(found.roundTrips.map(\.bits) == [2, 2, 3, 3, 4, 4, 8, 8])
  }

  /// The contrast that KIVI (arXiv 2402.02750) found in keys, in a head of 80.
  @Test func channelsOfUnlikeScaleAreBetterOffAlone() throws {
    let folder = try MeasuredFolder(layer)
    var values = randomValues(100 * 80, seed: 7)
    for index in values.indices where index % 16 == 3 { values[index] *= 128 }
    let dump = try folder.dump(
      TestTensor(key, .bf16, [100, 1, 80], values: values),
      TestTensor(
        "layers.0.value", .bf16, [100, 1, 80], values: randomValues(8000, seed: 8)))
    let keys = try folder.measure(key, [dump])
    #expect(keys.roundTrips.map(\.scheme).contains(.perTokenGroup(size: 80)))
    #expect(keys.roundTrips.map(\.scheme).contains(.perChannelGroup(tokens: 32)))
    // Every group holds both large and small channels by token, but only one by channel.
    let small = values.enumerated().filter { $0.offset % 16 != 3 }.map(\.element)
    let power = small.reduce(0.0) { $0 + Double($1) * Double($1) }
    #expect(try keys.error(.perTokenGroup, bits: 4).squaredError > power / 2)
    for bits in MeasureOptions.cacheBits {
      let (token, channel) = (
        try #require(keys.sqnr(.perTokenGroup, bits: bits)),
        try #require(keys.sqnr(.perChannelGroup, bits: bits))
      )
      #expect(channel > token)
    }
    #expect(keys.channels?.outliers.map(\.index).sorted() == [3, 19, 35, 51, 67])
    #expect(try folder.measure("layers.0.value", [dump]).channels?.outlierCount == 0)
  }

  @Test(arguments: [(32, 32), (64, 64), (80, 80), (128, 128), (192, 192), (256, 128)])
  func groupsOfATokenStayWithinAHead(_ headDimension: Int, _ expected: Int) throws {
    let folder = try MeasuredFolder([
      TestTensor(random: "model.layers.0.mlp.up_proj.weight", .bf16, [8, 4], seed: 1)
    ])
    let found = try folder.measure(
      key, [try folder.dump(TestTensor(random: key, .f16, [2, 2, headDimension], seed: 9))])
    #expect(found.roundTrips.first?.scheme == .perTokenGroup(size: expected))
  }

  /// Four evenly spaced levels need two bits; those of the next 32 tokens lie elsewhere.
  @Test func groupsOfAChannelAre32Tokens() throws {
    let folder = try MeasuredFolder(layer)
    func error(shiftedBy shift: Int) throws -> Double {
      let values = (0..<96 * 80).map { index in
        let (token, channel) = index.quotientAndRemainder(dividingBy: 80)
        let block = (token + shift) / 32
        return Float(token % 4 + 10 * block * block + channel)
      }
      return try folder.measure(
        key, [try folder.dump(TestTensor(key, .f32, [96, 1, 80], values: values))]
      ).error(.perChannelGroup, bits: 2).squaredError
    }
    #expect(try error(shiftedBy: 0) == 0)
    #expect(try error(shiftedBy: 16) > 0)
  }

  /// No group of a channel is cut by a tile but the last of a chunk.
  @Test(arguments: [1, 80, 1000, 1 << 13, 1 << 15])
  func tilesCoverEveryTokenInWholeGroups(_ width: Int) throws {
    let chunks = width < 1 << 13 ? [700, 33, 1] : [65, 33, 1]
    let folder = try MeasuredFolder([TestTensor(random: "x.weight", .f16, [2, 2], seed: 1)])
    let path = try folder.write(
      "sparse.safetensors",
      safetensors(
        chunks.enumerated().map { chunk, tokens in
          TestTensor("layers.0.key.\(chunk)", "F16", [tokens, 1, width])
        }))
    let tensor = try #require(TensorDump(paths: [path]).tensors.first)
    let tiles = DumpTile.tiles(of: tensor)
    var next = (part: 0, token: 0, first: 0)
    for tile in tiles {
      #expect(tile.part == next.part && tile.tokens.lowerBound == next.token)
      #expect(tile.firstToken == next.first)
      #expect(tile.valueCount == tile.tokens.count * width)
      #expect(tile.valueCount <= max(1 << 18, 32 * width))
      next = (tile.part, tile.tokens.upperBound, next.first + tile.tokens.count)
      if next.token == chunks[tile.part] {
        next = (tile.part + 1, 0, next.first)
      } else {
        #expect(tile.tokens.count % 32 == 0)
      }
    }
    #expect(next.part == 3 && next.first == chunks.reduce(0, +))
  }
}
