import Formats
import Foundation
import Model
import Stats
import Testing

@testable import Convert

@Suite struct ActivationWidthsTests {
  private static func trip(_ bits: Int, _ decibels: Double) -> RoundTrip {
    RoundTrip(
      scheme: .perToken, bits: bits,
      error: QuantizationError(squaredNorm: 1, squaredError: pow(10, -decibels / 10)))
  }

  private static func inputs(
    _ role: TensorRole = .attnQ, four: Double = 14, eight: Double = 38, channels: [Float]? = nil
  ) -> TensorFigures {
    .synthetic(
      "\(role.rawValue).input", .activation, role: role, shape: [10, 3],
      trips: [trip(4, four), trip(8, eight)], channels: channels)
  }

  private static func weight(_ role: TensorRole, _ channels: [Float]) -> TensorFigures {
    .synthetic(role.rawValue, .weight, role: role, shape: [3, 3], channels: channels)
  }

  private static func choice(
    _ tensors: [TensorFigures], _ edit: (inout ActivationWidths.Options) -> Void = { _ in }
  ) throws -> ActivationWidths.Choice {
    var options = ActivationWidths.Options()
    edit(&options)
    return try #require(try ActivationWidths(tensors, options: options).choices.first)
  }

  // MARK: - Widths

  @Test func theFewestBitsThatKeepEnough() throws {
    let kept = try Self.choice([Self.inputs(eight: 35)])
    #expect(kept.bits == 8)
    let sqnr = try #require(kept.sqnr)
    #expect(abs(sqnr - 35) < 1e-9)
    #expect(kept.reason.hasPrefix("8 bits keep 35.0 dB, enough for 30.0 dB"))
    let lost = try Self.choice([Self.inputs(eight: 25)])
    #expect(lost.bits == 16)
    #expect(lost.sqnr == nil)
    #expect(lost.reason.hasPrefix("8 bits keep only 25.0 dB, short of 30.0 dB"))
    #expect(try Self.choice([Self.inputs(eight: 25)]) { $0.minimumSQNR = 24 }.bits == 8)
  }

  @Test func fourBitsMustBeNamed() throws {
    let tensor = Self.inputs(four: 33)
    #expect(try Self.choice([tensor]).bits == 8)
    #expect(try Self.choice([tensor]) { $0.allowedBits = [16, 8, 4] }.bits == 4)
    #expect(try Self.choice([Self.inputs()]) { $0.allowedBits = [4, 8] }.bits == 8)
  }

  @Test func whereNothingIsEnoughTheMostIsTaken() throws {
    let choice = try Self.choice([Self.inputs(eight: 20)]) { $0.allowedBits = [4, 8] }
    #expect(choice.bits == 8)
    #expect(choice.reason.contains("short of 30.0 dB"))
  }

  @Test func whatWasNotMeasuredIsRefused() {
    let bare = TensorFigures.synthetic("bare.input", .activation, role: .attnQ)
    for (tensors, bits) in [
      ([], [8]), ([Self.inputs()], [6]), ([Self.inputs()], []), ([bare], [4, 8]),
      ([Self.weight(.attnQ, [1])], [8]),
    ] as [([TensorFigures], [Int])] {
      #expect(throws: AllocationError.self) { try Self.choice(tensors) { $0.allowedBits = bits } }
    }
  }

  // MARK: - Smoothing

  /// Products of 400, 1 and 1: an alpha of 0.5 leaves their roots on both sides.
  @Test func theLargestOfTheSharedWeightsCounts() throws {
    let tensors = [
      Self.inputs(.attnQ, channels: [100, 1, 1]), Self.weight(.attnQ, [1, 1, 1]),
      Self.weight(.attnK, [4, 1, 0.5]), Self.weight(.attnV, [2, 0.25, 1]),
      // Not of these inputs.
      Self.weight(.attnO, [900, 1, 1]),
    ]
    let choice = try Self.choice(tensors)
    let smoothing = try #require(choice.smoothing)
    #expect(choice.channelRatio == 100)
    #expect(smoothing.alpha == 0.5)
    #expect(abs(smoothing.activationSpread - 20) < 1e-9)
    #expect(abs(smoothing.weightSpread - 20) < 1e-9)
    #expect(choice.reason.contains("alpha 0.5 leaves 20.0 times in the inputs"))
  }

  private static func bruteForce(
    _ inputs: [Float], _ weights: [Float], _ inputBits: Int, _ weightBits: Int
  ) -> Double {
    func spread(_ values: [Double]) -> Double {
      let sorted = values.sorted()
      let middle = (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
      return sorted[sorted.count - 1] / middle
    }
    let trials = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9].map { alpha in
      let scales = zip(inputs, weights).map { pow(Double($0), alpha) / pow(Double($1), 1 - alpha) }
      let smooth = spread(zip(inputs, scales).map { Double($0) / $1 }) / Double(1 << inputBits)
      let rough = spread(zip(weights, scales).map { Double($0) * $1 }) / Double(1 << weightBits)
      return (alpha: alpha, worse: max(smooth, rough))
    }
    return trials.min { $0.worse < $1.worse }!.alpha
  }

  @Test(arguments: [(8, 8), (8, 6), (8, 4), (4, 8)])
  func alphaIsTheBestOfAll(inputBits: Int, weightBits: Int) throws {
    var generator = SplitMix64(seed: 2)
    var seen: Set<Double> = []
    for large in [200, 2_000, 40_000] as [Float] {
      let inputs = (0..<64).map {
        $0 == 9 ? large : 0.5 + Float.random(in: 0...1, using: &generator)
      }
      let weights = (0..<64).map { _ in 0.5 + Float.random(in: 0...0.2, using: &generator) }
      let smoothing = try #require(
        Smoothing(
          activations: inputs, weights: weights, activationBits: inputBits, weightBits: weightBits))
      #expect(smoothing.alpha == Self.bruteForce(inputs, weights, inputBits, weightBits))
      seen.insert(smoothing.alpha)
    }
    if inputBits == weightBits { #expect(seen == [0.5]) }
    if inputBits > weightBits { #expect(seen.max()! < 0.5) }
    if inputBits < weightBits { #expect(seen.min()! > 0.5) }
  }

  /// An alpha of 0.5 would lessen the weights' 12 to the root of 108, and raise the inputs' 9 to it.
  @Test func inputsAreNotSmoothedForTheSakeOfWeights() {
    func smoothing(_ inputs: [Float], _ weights: [Float]) -> Smoothing? {
      Smoothing(activations: inputs, weights: weights, activationBits: 8, weightBits: 8)
    }
    #expect(smoothing([9, 1, 1], [12, 1, 1]) == nil)
    #expect(smoothing([9, 1, 1], [2, 1, 1])?.alpha == 0.5)
  }

  @Test func channelsWithoutValuesTakeNoPart() {
    func smoothing(_ inputs: [Float], _ weights: [Float]) -> Smoothing? {
      Smoothing(activations: inputs, weights: weights, activationBits: 8, weightBits: 8)
    }
    let plain = smoothing([100, 1, 1], [1, 1, 2])
    #expect(plain != nil)
    #expect(smoothing([100, 0, 1, 1, 7], [1, 5, 1, 2, 0]) == plain)
    #expect(smoothing([0, 0], [1, 1]) == nil)
    #expect(smoothing([1, 2], [1]) == nil)
  }

  @Test func smoothingIsOnlyForWhereItHelpsAndFolds() throws {
    let steep: [Float] = [100, 1, 1]
    let flat: [Float] = [1, 1, 1]
    for (role, inputs, weights, words) in [
      (.attnQ, [5, 1, 1], flat, "no smoothing needed"),
      (.attnQ, steep, steep, "the weights would suffer more"),
      (.attnQ, steep, [1, 1], "not all measured"),
      (.attnO, steep, flat, "folded into the values"),
      (.mlpDown, steep, flat, "no norm to fold"),
      (.expertUp, steep, flat, "router"),
      (.outputHead, steep, flat, "no norm is known"),
    ] as [(TensorRole, [Float], [Float], String)] {
      let tensors = [Self.inputs(role, channels: inputs), Self.weight(role, weights)]
      let choice = try Self.choice(tensors)
      #expect(choice.smoothing == nil)
      #expect(choice.reason.contains(words))
    }
    for role in [TensorRole.attnQKV, .attnV, .mlpGate, .mlpUp, .mlpGateUp] {
      let tensors = [Self.inputs(role, channels: steep), Self.weight(role, flat)]
      #expect(try Self.choice(tensors).smoothing?.alpha == 0.5)
    }
    // Without any weight there is nothing to weigh the inputs against.
    let alone = try Self.choice([Self.inputs(channels: steep)])
    #expect(alone.smoothing == nil)
    #expect(alone.reason.contains("not all measured"))
  }

  // MARK: - JSON

  private static let model = [
    inputs(.attnQ, channels: [100, 1, 1]), weight(.attnQ, [3, 1, 1.7]),
    inputs(.mlpDown, eight: 21, channels: [9, 1, 1]), inputs(.mlpUp, eight: .infinity),
  ]

  @Test func jsonKeepsEverything() throws {
    var options = ActivationWidths.Options()
    options.weightBits = 6
    options.minimumSQNR = 31.7
    options.allowedBits = [4, 8, 16]
    options.smoothingRatio = 8.5
    let widths = try ActivationWidths(Self.model, options: options)
    #expect(widths.choices.map(\.bits) == [8, 16, 8])
    #expect(widths.choices.map { $0.smoothing != nil } == [true, false, false])
    let text = widths.json.prettyText
    let read = try ActivationWidths(json: JSONValue(parsing: Array(text.utf8)), file: "plan.json")
    let isTheSame = read == widths
    #expect(isTheSame)
  }

  @Test(
    arguments: [
      ("name", nil, "inputs[0].name"), ("bits", 5, "not 5"), ("reason", nil, "inputs[0].reason"),
      ("smoothing", ["alpha": 2], "between 0 and 1"),
      ("smoothing", ["alpha": .double(0.5)], "inputs[0].smoothing.activation_spread"),
    ] as [(String, JSONValue?, String)])
  func whatIsWrongInAPlanIsNamed(_ member: String, _ value: JSONValue?, _ words: String) throws {
    var json = try ActivationWidths(Self.model).json
    var inputs = try #require(json["inputs"]?.arrayValue)
    inputs[0][member] = value
    json["inputs"] = .array(inputs)
    do {
      _ = try ActivationWidths(json: json, file: "plan.json")
      Issue.record("read as if nothing were wrong")
    } catch AllocationError.notAPlan(let file, let reason) {
      #expect(file == "plan.json")
      #expect(reason.contains(words))
    }
  }
}
