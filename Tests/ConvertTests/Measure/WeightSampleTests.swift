import Formats
import Foundation
import Stats
import Testing

@testable import Convert

@Suite struct WeightSampleTests {
  /// A tensor that is larger than the sample, in each way that tensors are stored.
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let config: String
    let tensors: [(name: String, shape: [Int])]
    /// Rows of one matrix, of `inputs` weights each, once they are output-major.
    let rows: Int
    let inputs: Int
  }

  static let sampleSize = 1 << 15

  static let cases = [
    Case(
      testDescription: "output-major", config: #"{"model_type": "llama"}"#,
      tensors: [("model.layers.0.mlp.up_proj.weight", [1531, 96])], rows: 1531, inputs: 96),
    Case(
      testDescription: "input-major", config: #"{"model_type": "gpt2"}"#,
      tensors: [("transformer.h.0.mlp.c_fc.weight", [96, 1531])], rows: 1531, inputs: 96),
    Case(
      testDescription: "stacked experts", config: #"{"model_type": "llama4", "hidden_size": 64}"#,
      tensors: [
        ("language_model.model.layers.0.feed_forward.experts.gate_up_proj", [13, 64, 150]),
        ("language_model.model.layers.0.feed_forward.experts.down_proj", [13, 75, 64]),
      ], rows: 150, inputs: 64),
  ]

  /// Random weights whose spread grows along the tensor, so that a sample from one end would err.
  private static func plan(_ testCase: Case, in folder: TemporaryFolder) throws -> ConversionPlan {
    var generator = SplitMix64(seed: 11)
    let tensors = testCase.tensors.map { name, shape in
      let count = shape.reduce(1, *)
      let values = (0..<count).map { index in
        let place = Float(index) / Float(count)
        // Normal, but for an outlier now and then: errors differ from group to group.
        let size: Float = Int.random(in: 0..<50, using: &generator) == 0 ? 0.4 : 0.05
        return generator.gaussian() * size * (0.5 + place)
      }
      return TestTensor(name, .bf16, shape, values: values)
    }
    try writeSafetensors(tensors, to: folder.path + "/model.safetensors")
    try folder.write("config.json", Array(testCase.config.utf8))
    var options = ConversionOptions()
    options.groupSize = 32
    return try ConversionPlan(
      Checkpoint(path: folder.path), options: options, arrangement: .asStored)
  }

  private static func sampled(_ plan: ConversionPlan, _ testCase: Case) throws -> TensorPlan {
    try #require(plan.tensors.first { $0.name == testCase.tensors[0].name })
  }

  @Test(arguments: cases) func blocksHoldTheWeightsTheyStandFor(_ testCase: Case) throws {
    let folder = try TemporaryFolder()
    let plan = try Self.plan(testCase, in: folder)
    let tensor = try Self.sampled(plan, testCase)
    let total = tensor.tensor.elementCount
    let stored = try values(tensor.name, in: plan.checkpoint)
    let (rows, inputs) = (testCase.rows, testCase.inputs)
    let source = tensor.source(in: plan.checkpoint, nonFinite: .error)
    let tile = WeightTile()

    let blocks = WeightSample.blocks(of: source, limit: Self.sampleSize)
    #expect(blocks.count == 32)
    var end = 0
    var count = 0
    let isInputMajor = tensor.identity.order == .inputMajor
    for block in blocks {
      #expect(block.lowerBound >= end, "blocks do not overlap")
      end = block.upperBound
      count += block.count
      try source.read(block, into: tile)
      var differences = 0
      for (index, weight) in block.enumerated() {
        let (row, input) = weight.quotientAndRemainder(dividingBy: inputs)
        let (matrix, output) = row.quotientAndRemainder(dividingBy: rows)
        let place = isInputMajor ? (matrix * inputs + input) * rows + output : weight
        if tile.weights[index] != stored[place] { differences += 1 }
      }
      #expect(differences == 0)
      if isInputMajor {
        #expect(block.lowerBound % inputs == 0 && block.count % inputs == 0, "whole rows")
        #expect(block.lowerBound / inputs / rows == (end - 1) / inputs / rows, "within one matrix")
      }
    }
    #expect(end <= total)
    #expect(count <= Self.sampleSize)
    #expect(count > Self.sampleSize / 2)
    // From one end to the other.
    #expect(blocks[0].lowerBound == 0)
    #expect(end > total - 2 * Self.sampleSize / 32)
  }

  @Test(arguments: cases, [false, true]) func aSampleIsCloseToTheWhole(
    _ testCase: Case, isWeighted: Bool
  ) throws {
    let folder = try TemporaryFolder()
    let plan = try Self.plan(testCase, in: folder)
    let name = testCase.tensors[0].name
    let squares =
      isWeighted ? [name: (0..<testCase.inputs).map { 1 + Float($0 % 7) * Float($0 % 5) }] : [:]
    var options = CandidateOptions()
    options.method = .minmax
    options.bits = [3, 6]
    options.groupSizes = [32]
    options.sampleSize = nil
    let exact = try SampleModel.candidates(plan, options, meanSquares: squares)
    options.sampleSize = Self.sampleSize
    let sampled = try SampleModel.candidates(plan, options, meanSquares: squares)
    let whole = try #require(exact.first { $0.name == name }).candidates
    let part = try #require(sampled.first { $0.name == name }).candidates
    #expect(whole.count == 2 && part.count == 2)
    for (whole, part) in zip(whole, part) {
      #expect(whole.samplingError == 0)
      #expect(part.samplingError > 0 && part.samplingError < 0.1)
      #expect(part.byteCount == whole.byteCount)
      let distance = abs(part.relativeError - whole.relativeError) / whole.relativeError
      #expect(distance > 0)
      #expect(distance < 5 * part.samplingError)
    }
  }

  @Test func aSmallTensorIsMeasuredWhole() throws {
    let folder = try TemporaryFolder()
    let testCase = Self.cases[0]
    let plan = try Self.plan(testCase, in: folder)
    let tensor = try Self.sampled(plan, testCase)
    let total = testCase.rows * testCase.inputs
    for limit in [nil, total, total + 1] {
      let blocks = WeightSample.blocks(
        of: tensor.source(in: plan.checkpoint, nonFinite: .error), limit: limit)
      #expect(blocks.reduce(0) { $0 + $1.count } == total)
    }
  }

  /// Only what the widths lose comes from a sample.
  @Test func statisticsOfASampleAreCloseToThoseOfAll() throws {
    let name = "model.layers.0.mlp.up_proj.weight"
    // Rows of very different sizes: energy is nowhere what it is elsewhere.
    var noise = Noise(seed: 4)
    let values = (0..<900 * 1024).map { index in
      Float(noise.bell()) * [0.001, 0.02, 1, 0.1][index / 1024 % 4]
    }
    let folder = try MeasuredFolder([TestTensor(name, .bf16, [900, 1024], values: values)])
    var options = MeasureOptions()
    options.sampleSize = nil
    let exact = try folder.measure(name, [], options)
    options.sampleSize = 1 << 16
    let sampled = try folder.measure(name, [], options)
    #expect(sampled.distribution == exact.distribution && sampled.channels == exact.channels)
    #expect(exact.roundTrips.count == 6 && sampled.roundTrips.count == 6)
    for (whole, part) in zip(exact.roundTrips, sampled.roundTrips) {
      #expect(whole.samplingError == nil)
      let error = try #require(part.samplingError)
      #expect(error > 0 && error < 0.1)
      let ratio = part.error.squaredError / whole.error.squaredError
      #expect(ratio != 1 && abs(ratio - 1) < 5 * error, "\(part.bits) bits")
      let norms = part.error.squaredNorm / whole.error.squaredNorm
      #expect(abs(norms - 1) < 1e-9)
      #expect(part.error.largestError <= whole.error.largestError)
    }
    // Of two tensors: the sum, and as uncertain as independent parts make it.
    var both = sampled.roundTrips[0]
    both.merge(sampled.roundTrips[0])
    let one = try #require(sampled.roundTrips[0].samplingError)
    #expect(abs(try #require(both.samplingError) - one / 2.0.squareRoot()) < 1e-12)
  }

  /// One weight in 25,000 is 30 times as large as the others: most of what is lost is lost beside these.
  @Test(arguments: [QuantizationMethod.minmax, .search])
  func noOutlierIsMissed(_ method: QuantizationMethod) throws {
    let name = "model.layers.0.mlp.up_proj.weight"
    var noise = Noise(seed: 9)
    let values = (0..<300 * 512).map { index in
      index % 25_013 == 7 ? 1.5 : Float.random(in: -0.05...0.05, using: &noise)
    }
    let folder = try MeasuredFolder([TestTensor(name, .f16, [300, 512], values: values)])
    var options = MeasureOptions()
    options.method = method
    options.sampleSize = nil
    let exact = try folder.measure(name, [], options)
    options.sampleSize = 1 << 14
    let sampled = try folder.measure(name, [], options)
    for (whole, part) in zip(exact.roundTrips, sampled.roundTrips) {
      let error = try #require(part.samplingError)
      #expect(error > 0 && error < 0.03, "\(part.bits) bits")
      #expect(abs(part.error.squaredError / whole.error.squaredError - 1) < 4 * error)
      #expect(part.error.largestError == whole.error.largestError)
    }
  }
}
