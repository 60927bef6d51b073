import Formats
import Foundation
import Stats
import Testing

@testable import Convert

@Suite struct CacheWidthsTests {
  /// Errors in 1/1024 by bits, in groups of 64 channels.
  private static func tensor(
    _ kind: TensorStatistics.Kind, layer: Int = 0, _ errors: [Int: Double],
    shape: [Int] = [10, 1, 64]
  ) -> TensorFigures {
    .synthetic(
      "layers.\(layer).\(kind.rawValue)", kind, layer: layer, shape: shape,
      trips: errors.map { RoundTrip(.perTokenGroup(size: 64), $0, error: $1) })
  }

  private static let oneLayer = [
    tensor(.value, [2: 400, 3: 160, 4: 40, 8: 0.25]),
    tensor(.key, [2: 128, 3: 40, 4: 10, 8: 0.125]),
  ]

  private static func error(_ body: () throws -> Void) -> AllocationError? {
    do { try body() } catch { return error as? AllocationError }
    return nil
  }

  /// 4 bits in groups of 64 are 4.5 with scale and offset, 8 are 8.5.
  @Test func theBudgetGoesWhereItHelpsMost() throws {
    let widths = try CacheWidths(Self.oneLayer, averageBits: 6.5, allowedBits: [4, 8])
    #expect(widths.choices.map(\.kind) == [.key, .value])
    #expect(widths.choices.map(\.bits) == [4, 8])
    #expect(widths.choices.map(\.scheme) == [.perTokenGroup(size: 64), .perTokenGroup(size: 64)])
    #expect(widths.averageBits == 6.5)
    #expect(widths.relativeError == 10.25 / 2048)
    #expect(widths.optimalityGap == 0)
    let sqnr = try #require(widths.choices[0].sqnr)
    #expect(abs(sqnr - 20.103) < 1e-3)
    let uniform: [CacheWidths.Uniform] = [
      .init(bits: 4, averageBits: 4.5, relativeError: 50.0 / 2048, divergence: nil),
      .init(bits: 8, averageBits: 8.5, relativeError: 0.375 / 2048, divergence: nil),
    ]
    #expect(widths.uniform == uniform)
    // 10 / 10.25, and (10 - 0.125) / 10.25.
    #expect(
      widths.choices[0].reason
        == "97.56 % of the total error; 8 bits per token in groups of 64 would cost 4.00 bits an "
        + "element more and remove 96.34 %")
    // A little less does not suffice for the second 8.
    let less = try CacheWidths(Self.oneLayer, averageBits: 6.4999, allowedBits: [4, 8])
    #expect(less.choices.map(\.bits) == [4, 4])
  }

  /// Where errors in the keys cost a hundred times what those in the values do, they get the bits.
  @Test func measuredLossesGoBeforeErrors() throws {
    func points(_ kind: TensorStatistics.Kind, _ slope: Double) -> (String, [MeasuredLoss.Point]) {
      (
        Sensitivity.cacheName(kind, layer: 0),
        [2, 4].map {
          let error = pow(0.25, Double($0))
          return .init(bits: $0, relativeError: error, divergence: slope * error)
        }
      )
    }
    let both = Sensitivity(
      tokenCount: 1, tensors: [:],
      cache: Dictionary(uniqueKeysWithValues: [points(.key, 50), points(.value, 0.5)]))
    let widths = try CacheWidths(
      Self.oneLayer, sensitivity: both, averageBits: 6.5, allowedBits: [4, 8])
    #expect(widths.choices.map(\.bits) == [8, 4])
    // 0.125 and 40 of 1024 are lost of them, each element's error times its slope.
    let expected = 50 * 0.125 / 1024 + 0.5 * 40 / 1024
    #expect(abs((widths.divergence ?? 0) - expected) < 1e-12)
    #expect(widths.uniform.map(\.bits) == [4, 8])
    #expect(abs((widths.uniform[0].divergence ?? 0) - (50 * 10 + 0.5 * 40) / 1024) < 1e-12)
    // What is known of the keys alone cannot be weighed against the values.
    let one = Sensitivity(
      tokenCount: 1, tensors: [:], cache: Dictionary(uniqueKeysWithValues: [points(.key, 50)]))
    let guessed = try CacheWidths(
      Self.oneLayer, sensitivity: one, averageBits: 6.5, allowedBits: [4, 8])
    #expect(guessed.choices.map(\.bits) == [4, 8] && guessed.divergence == nil)
  }

  /// A key of 192 elements at 8 bits would cost three times what a value of 64 does.
  @Test func wideLayersCostMore() throws {
    let tensors = [
      Self.tensor(.key, [4: 30, 8: 0], shape: [10, 3, 64]), Self.tensor(.value, [4: 20, 8: 0]),
    ]
    let cheap = try CacheWidths(tensors, averageBits: 5.5, allowedBits: [4, 8])
    #expect(cheap.choices.map(\.bits) == [4, 8])
    #expect(cheap.averageBits == 5.5)
    // 768 bits more pay for the keys or for the values; both cannot be had.
    let dear = try CacheWidths(tensors, averageBits: 7.5, allowedBits: [4, 8])
    #expect(dear.choices.map(\.bits) == [8, 4])
    #expect(dear.averageBits == 7.5)
  }

  @Test func sixteenBitsLoseNothing() throws {
    let widths = try CacheWidths(Self.oneLayer, averageBits: 16)
    #expect(widths.choices.map(\.width) == [.f16, .f16])
    #expect(widths.choices.allSatisfy { $0.scheme == nil && $0.sqnr == nil })
    #expect(widths.relativeError == 0)
    #expect(widths.averageBits == 16)
    #expect(widths.choices[0].reason.hasPrefix("nothing is lost; 8 bits per token"))
  }

  @Test func twoBitsMustBeNamed() throws {
    #expect(
      Self.error { _ = try CacheWidths(Self.oneLayer, averageBits: 2.5) }
        == .cacheTooSmall(wanted: 2.5, smallest: 3.5, largest: 16))
    let named = try CacheWidths(Self.oneLayer, averageBits: 2.5, allowedBits: [2, 4])
    #expect(named.choices.map(\.bits) == [2, 2])
  }

  // MARK: - The best of all

  private static func random(_ generator: inout SplitMix64) -> [TensorFigures] {
    (0..<3).flatMap { layer in
      [TensorStatistics.Kind.key, .value].map { kind in
        // 80 does not divide 32: costs are not whole bits.
        let head = [64, 80, 128][Int.random(in: 0..<3, using: &generator)]
        let heads = Int.random(in: 1...3, using: &generator)
        let trips = [3, 4, 8].flatMap { bits in
          [QuantizationScheme.perTokenGroup(size: head), .perChannelGroup(tokens: 32)].map {
            RoundTrip(
              $0, bits, error: Double(Int.random(in: 1...900 / (bits * bits), using: &generator)))
          }
        }
        return .synthetic(
          "layers.\(layer).\(kind.rawValue)", kind, layer: layer, shape: [7, heads, head],
          trips: trips)
      }
    }
  }

  /// Least sum of errors in 1/1024 among all combinations.
  private static func bruteForce(_ tensors: [TensorFigures], budget: Double) -> Double? {
    var states = [(bits: 0.0, error: 0.0)]
    for tensor in tensors {
      var options = [(bits: 16.0, error: 0.0)]
      for trip in tensor.roundTrips {
        switch trip.scheme {
        case .perTokenGroup(let size):
          options.append((Double(trip.bits) + 32 / Double(size), trip.error.squaredError))
        case .perChannelGroup where tensor.kind == .key:
          options.append((Double(trip.bits) + 1, trip.error.squaredError))
        default: break
        }
      }
      let count = Double(tensor.shape[1] * tensor.shape[2])
      states = states.flatMap { state in
        options.map { (state.bits + count * $0.bits, state.error + $0.error) }
      }
    }
    let total = tensors.reduce(0) { $0 + Double($1.shape[1] * $1.shape[2]) }
    return states.filter { $0.bits <= budget * total + 1e-6 }.map(\.error).min()
  }

  @Test(arguments: 0..<6) func noCombinationIsBetter(seed: Int) throws {
    var generator = SplitMix64(seed: UInt64(seed))
    let tensors = Self.random(&generator)
    for budget in [3.6, 4.9, 7.3] {
      let expected = Self.bruteForce(tensors, budget: budget)
      guard let expected else {
        #expect(throws: AllocationError.self) { try CacheWidths(tensors, averageBits: budget) }
        continue
      }
      let widths = try CacheWidths(tensors, averageBits: budget)
      let least = expected / (1024 * 6)
      #expect(abs(widths.relativeError - least) < 1e-12)
      #expect(widths.averageBits <= budget * (1 + 1e-9))
      #expect(widths.optimalityGap == 0)
      // The average that came out is enough of a budget for the same choices.
      let again = try CacheWidths(tensors, averageBits: widths.averageBits)
      #expect(again.relativeError == widths.relativeError)
    }
  }

  /// 32 / 96 has no exact double: the quotient may lie below the bits that it stands for.
  @Test func anAverageIsBudgetEnoughForItself() throws {
    for heads in 1...60 {
      let tensors = [(TensorStatistics.Kind.key, heads, 96), (.value, 1, 64)].map {
        kind, heads, size in
        TensorFigures.synthetic(
          "layers.0.\(kind.rawValue)", kind, shape: [1, heads, size],
          trips: [RoundTrip(.perTokenGroup(size: size), 4, error: 1)])
      }
      let only = try CacheWidths(tensors, averageBits: 5, allowedBits: [4])
      let again = try CacheWidths(tensors, averageBits: only.averageBits, allowedBits: [4])
      #expect(again.choices.count == 2)
    }
  }

  // MARK: - Channels

  /// 64 tokens of two heads of 32, the fifth channel of which is far from the others.
  private static func measured(_ kind: TensorStatistics.Kind) -> TensorFigures {
    var generator = SplitMix64(seed: 11)
    let values = (0..<64 * 64).map { generator.gaussian() + ($0 % 32 == 4 ? 50 : 0) }
    let trips = MeasureOptions.cacheBits.flatMap { bits in
      var perToken = RoundTrip(scheme: .perTokenGroup(size: 32), bits: bits)
      var perChannel = RoundTrip(scheme: .perChannelGroup(tokens: 32), bits: bits)
      for group in 0..<128 {
        perToken.error.merge(
          RoundTripKernels.asymmetric(values.span, group * 32, 32, stride: 1, bits: bits))
        let first = (group / 64) * 32 * 64 + group % 64
        perChannel.error.merge(
          RoundTripKernels.asymmetric(values.span, first, 32, stride: 64, bits: bits))
      }
      return [perToken, perChannel]
    }
    return .synthetic("layers.0.\(kind.rawValue)", kind, shape: [64, 2, 32], trips: trips)
  }

  @Test func keysGoByChannelWhereChannelsDiffer() throws {
    let tensors = [Self.measured(.key), Self.measured(.value)]
    // Both ways cost 5 bits an element: groups of 32 either way.
    let free = try CacheWidths(tensors, averageBits: 5, allowedBits: [4])
    #expect(free.choices[0].scheme == .perChannelGroup(tokens: 32))
    #expect(free.choices[1].scheme == .perTokenGroup(size: 32))
    #expect(free.choices[0].relativeError < free.choices[1].relativeError / 10)
    #expect(free.averageBits == 5)
    let bound = try CacheWidths(tensors, averageBits: 5, allowedBits: [4], groups: .perTokenOnly)
    #expect(bound.choices[0].scheme == .perTokenGroup(size: 32))
    #expect(bound.choices[0].relativeError == free.choices[1].relativeError)
  }

  // MARK: - What is refused

  @Test func whatCannotBeCountedIsRefused() {
    let key = Self.tensor(.key, [4: 1])
    func value(layer: Int? = 0, shape: [Int], bits: Int = 4) -> TensorFigures {
      .synthetic(
        "layers.0.value", .value, layer: layer, shape: shape,
        trips: [RoundTrip(.perTokenGroup(size: 64), bits, error: 1)])
    }
    for (tensors, budget, bits, words) in [
      ([], 5, [4], "no keys or values"), ([key, key], 5, [4], "keys twice"),
      ([key, value(layer: nil, shape: [1, 1, 64])], 5, [4], "no layer"),
      ([key, value(shape: [3])], 5, [4], "[3] is not"),
      ([key, value(shape: [1, 0, 64])], 5, [4], "[1, 0, 64] is not"),
      ([key, value(shape: [1, Int.max / 2, 64])], 5, [4], "is not"),
      ([key, value(shape: [1, 1 << 40, 1 << 20])], 5, [4], "too large"),
      ([key], 5, [5], "not measured at 5 bits"), ([key], 5, [], "none of the widths"),
      ([key], 5, [8], "none of the widths"), ([key], -1, [4], "smallest possible average is 4.5"),
      ([key], .nan, [4], "smallest possible average is 4.5"),
    ] as [([TensorFigures], Double, [Int], String)] {
      let error = Self.error {
        _ = try CacheWidths(tensors, averageBits: budget, allowedBits: bits)
      }
      #expect(error?.message.contains(words) == true)
    }
  }

  // MARK: - A real model

  @Test func theSampleIsBetterThanWithOneWidth() throws {
    let samples = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../../samples").standardizedFileURL.path(percentEncoded: false)
    let calibration = try Calibration(
      [samples + "/small-kv.safetensors"], of: Checkpoint(path: samples + "/small"),
      options: MeasureOptions())
    let tensors = try calibration.run(RunContext(threads: 2)).map(\.figures)
    let uniform = try CacheWidths(tensors, averageBits: 16).uniform
    #expect(uniform.map(\.bits) == [4, 8])
    for one in uniform {
      let widths = try CacheWidths(
        tensors, averageBits: one.averageBits, groups: .perTokenOnly)
      #expect(widths.averageBits <= one.averageBits)
      #expect(widths.relativeError <= one.relativeError)
      // More to choose from is never worse.
      let free = try CacheWidths(
        tensors, averageBits: one.averageBits, allowedBits: [2, 3, 4, 8, 16])
      #expect(free.relativeError <= widths.relativeError)
    }
  }

  // MARK: - JSON

  @Test func jsonKeepsEverything() throws {
    var generator = SplitMix64(seed: 5)
    let widths = try CacheWidths(Self.random(&generator), averageBits: 9.1)
    let schemes = Set(widths.choices.map { $0.scheme?.name })
    #expect(schemes.count > 1)
    let text = widths.json.prettyText
    let read = try CacheWidths(json: JSONValue(parsing: Array(text.utf8)), file: "plan.json")
    let isTheSame = read == widths
    #expect(isTheSame)
  }

  @Test(
    arguments: [
      ("kind", "weight", "layers[1].kind"), ("layer", -1, "layers[1].layer"),
      ("elements_per_token", 0, "layers[1].elements_per_token"), ("bits", 7, "7 bits"),
      ("group_size", 0, "groups of 0"), ("group_size", nil, "layers[1].group_size"),
      ("scheme", "per_tensor", "per_tensor"), ("relative_error", nil, "layers[1].relative_error"),
      ("reason", 3, "layers[1].reason"),
    ] as [(String, JSONValue?, String)])
  func whatIsWrongInAPlanIsNamed(_ member: String, _ value: JSONValue?, _ words: String) throws {
    var json = try CacheWidths(Self.oneLayer, averageBits: 4.5).json
    var layers = try #require(json["layers"]?.arrayValue)
    layers[1][member] = value
    json["layers"] = .array(layers)
    let error = Self.error { _ = try CacheWidths(json: json, file: "plan.json") }
    guard case .notAPlan("plan.json", let reason)? = error else {
      Issue.record("read, or refused as \(String(describing: error))")
      return
    }
    #expect(reason.contains(words))
  }
}
