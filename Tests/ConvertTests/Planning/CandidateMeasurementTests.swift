import Foundation
import Stats
import Testing

@testable import Convert
@testable import Formats

@Suite struct CandidateMeasurementTests {
  private static let layouts = [(3, 32), (4, 128)].map { AffineLayout(bits: $0, groupSize: $1)! }

  private static func candidate(
    _ layout: AffineLayout, of name: String, in tensors: [TensorCandidates]
  ) throws -> Candidate {
    let tensor = try #require(tensors.first { $0.name == name })
    return try #require(tensor.candidates.first { $0.layout == layout })
  }

  @Test(arguments: zip(layouts, [QuantizationMethod.minmax, .search]))
  func errorsAndSizesAreThoseOfAConversion(
    _ layout: AffineLayout, _ method: QuantizationMethod
  ) throws {
    let folder = try TemporaryFolder()
    var options = ConversionOptions()
    (options.bits, options.groupSize) = (layout.bits, layout.groupSize)
    options.method = method
    let result = try convert(SampleModel.path, to: folder.path + "/out", options: options)
    let packed = try Checkpoint(path: folder.path + "/out")
    let entries = Dictionary(
      uniqueKeysWithValues: try PackedCheckpoint.manifest(of: packed.files[0]).tensors.map {
        ($0.name, $0)
      })

    var candidateOptions = CandidateOptions()
    (candidateOptions.bits, candidateOptions.groupSizes) = ([layout.bits], [layout.groupSize])
    candidateOptions.method = method
    let plan = try SampleModel.plan(candidateOptions)
    let measured = try SampleModel.candidates(plan, candidateOptions)
    #expect(measured.count == 30)
    let source = try Checkpoint(path: SampleModel.path)
    var evenCount = 0
    for (tensor, error) in zip(plan.tensors, result.errors) {
      guard let error else { continue }
      let candidate = try Self.candidate(layout, of: tensor.name, in: measured)
      // A conversion records the plain error; a plan may count some inputs more than others.
      guard try !Self.hasSmallColumn(tensor.name, in: source) else { continue }
      evenCount += 1
      #expect(candidate.relativeError == error.squaredError / error.squaredNorm)
      #expect(candidate.samplingError == 0)
      // The manifest holds eleven digits.
      let recorded = try #require(entries[tensor.name]?.error)
      let ratio = recorded.squaredError / recorded.squaredNorm
      #expect(abs(candidate.relativeError / ratio - 1) < 2e-10)
      let stored = packed.tensors.filter {
        $0.name.hasPrefix(Manifest.Entry.modulePath(of: tensor.name) + ".")
      }
      #expect(stored.count == 3)
      #expect(candidate.byteCount == stored.reduce(0) { $0 + $1.info.byteCount })
      #expect(candidate.byteCount == tensor.bytes(in: layout))
    }
    #expect(evenCount > 25)
  }

  /// Whether the weights of some input have less than a quarter of the median input's energy.
  private static func hasSmallColumn(_ name: String, in source: Checkpoint) throws -> Bool {
    let weights = try values(name, in: source)
    let inputs = try #require(source.tensors.first { $0.name == name }?.info.dimensions.last)
    var energies = [Double](repeating: 0, count: inputs)
    for (index, weight) in weights.enumerated() {
      energies[index % inputs] += Double(weight) * Double(weight)
    }
    let sorted = energies.sorted()
    return sorted[0] < sorted[inputs / 2] / 4
  }

  /// Everything once more, in plain loops over the unpacked weights and the dump.
  @Test(arguments: layouts) func weightedErrorsAreThoseOfPlainLoops(_ layout: AffineLayout) throws {
    let folder = try TemporaryFolder()
    var options = ConversionOptions()
    (options.bits, options.groupSize) = (layout.bits, layout.groupSize)
    options.method = .minmax
    // What is not looked at below.
    options.keep = try ["re:layers\\.1\\.", "*embed_tokens*", "*gate_proj*", "*o_proj*"].map {
      try NamePattern($0)
    }
    options.minimumCoverage = 0
    try convert(SampleModel.path, to: folder.path + "/packed", options: options)
    try unpack(folder.path + "/packed", to: folder.path + "/plain")
    let source = try Checkpoint(path: SampleModel.path)
    let plain = try Checkpoint(path: folder.path + "/plain")
    let dump = try Checkpoint(path: SampleModel.activations)

    let (_, measured) = try SampleModel.measured.get()
    let inputs = [
      ("lm_head", "lm_head"),
      ("model.layers.0.mlp.down_proj", "model.layers.0.mlp.down_proj"),
      ("model.layers.2.self_attn.q_proj", "model.layers.2.self_attn.q_proj"),
      ("model.layers.2.self_attn.k_proj", "model.layers.2.self_attn.q_proj"),
      ("model.layers.2.self_attn.v_proj", "model.layers.2.self_attn.q_proj"),
      ("model.layers.3.mlp.up_proj", "model.layers.3.mlp.gate_proj"),
    ]
    for (module, input) in inputs {
      let values = try values(input + ".input", in: dump)
      let before = try weights(module, in: source)
      let after = try weights(module, in: plain)
      let width = values.count / 64
      var squares = [Double](repeating: 0, count: width)
      for (index, value) in values.enumerated() {
        squares[index % width] += Double(value) * Double(value) / 64
      }
      var (norm, error) = (0.0, 0.0)
      for index in before.indices {
        let weight = Double(before[index])
        let difference = weight - Double(after[index])
        norm += squares[index % width] * weight * weight
        error += squares[index % width] * difference * difference
      }
      let candidate = try Self.candidate(layout, of: module + ".weight", in: measured)
      #expect(abs(candidate.relativeError / (error / norm) - 1) < 1e-6, "\(module)")
      let tensor = try #require(measured.first { $0.name == module + ".weight" })
      #expect(tensor.isWeighted)
    }
    // Nothing was captured of the embedding, which has no inputs.
    let embedding = try #require(measured.first { $0.identity.role == .tokenEmbedding })
    #expect(!embedding.isWeighted)
  }

  private func weights(_ module: String, in checkpoint: Checkpoint) throws -> [Float] {
    try values(module + ".weight", in: checkpoint)
  }

  @Test func widthsThatAreAllowedAreMeasuredInOrder() throws {
    var options = SampleModel.candidateOptions
    options.bits = [3, 8]
    options.groupSizes = [32, 128]
    options.overrides = [try .init(parsing: "lm_head=6"), try .init(parsing: "*.down_proj=5:64")]
    let plan = try SampleModel.plan(options) { $0.keep = [try NamePattern("*.v_proj")] }
    let measured = try SampleModel.candidates(plan, options)
    #expect(measured.count == 26)
    for tensor in measured {
      let layouts = tensor.candidates.map { [$0.layout.bits, $0.layout.groupSize] }
      switch tensor.identity.role {
      case .outputHead: #expect(layouts == [[6, 128], [6, 32]])
      case .mlpDown: #expect(layouts == [[5, 64]])
      default: #expect(layouts == [[3, 128], [3, 32], [8, 128], [8, 32]])
      }
      #expect(tensor.identity.role != .attnV)
    }
  }

  /// docs/PLAN.md gives the numbers; four layers share 0.2.
  @Test func tensorsWeighWhatTheirPlaceInTheModelSays() throws {
    let (_, measured) = try SampleModel.measured.get()
    for tensor in measured {
      let isFirst = tensor.identity.layer == 0
      let expected: Double
      switch tensor.identity.role {
      case .outputHead: expected = 1
      case .tokenEmbedding: expected = 0.5
      case .attnQ, .attnK: expected = isFirst ? 0.075 : 0.025
      case .attnV, .attnO: expected = isFirst ? 0.15 : 0.05
      default: expected = isFirst ? 0.3 : 0.05
      }
      #expect(abs(tensor.weight - expected) < 1e-12, "\(tensor.name)")
    }
  }

  @Test func resultsDoNotDependOnTheNumberOfThreads() throws {
    var options = SampleModel.candidateOptions
    options.sampleSize = 4096
    options.bits = [4]
    let plan = try SampleModel.plan(options)
    let squares = try SampleModel.meanSquares()
    let results = try [1, 2, 7].map {
      try SampleModel.candidates(plan, options, meanSquares: squares, threads: $0)
        .map(\.candidates)
    }
    #expect(results[0] == results[1])
    #expect(results[0] == results[2])
    #expect(results[0].contains { $0.contains { $0.samplingError > 0 } })
  }
}

extension TensorPlan {
  /// Bytes that the tensor would take in another layout.
  fileprivate func bytes(in layout: AffineLayout) -> Int {
    guard case .quantize(_, let scaleType) = action else { return 0 }
    return TensorPlan(
      tensor: tensor, identity: identity, action: .quantize(layout, scaleType), standing: standing,
      reason: reason, scales: scales
    ).storedByteCount
  }
}
