import Convert
import Formats
import Forward
import Testing

/// The loss of one tensor, held against a model that is really packed with only that tensor quantized.
@Suite struct SensitivityTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Tensors of the second and of no layer; parts of one tensor; experts.
  @Test(arguments: ["llama-tied", "mixtral", "falcon-7b-style", "gpt2"])
  func isThatOfAPackedModel(_ name: String) throws {
    let vector = try ReferenceVector(name)
    let model = try vector.model()
    let windows = WindowPlan(length: 16)
    let squares = try meanSquares(model, vector.tokens)
    let found = try SensitivityRun(model, vector.tokens, windows, meanSquares: squares)
      .run(RunContext(threads: 3))
    let plan = try ConversionPlan(model.checkpoint, options: ConversionOptions())
    let quantized = plan.tensors.filter { if case .quantize = $0.action { true } else { false } }
    #expect(Set(found.tensors.keys) == Set(quantized.map(\.name)))
    var compared = 0
    for tensor in quantized {
      let sources = Set(tensor.tensor.parts.map(\.name))
      let members = quantized.filter { !sources.isDisjoint(with: $0.tensor.parts.map(\.name)) }
      // One of those that are quantized together, and not every one of the layers.
      guard members[0].name == tensor.name, (tensor.identity.layer ?? 1) == 1 else { continue }
      compared += 1
      let bits = Sensitivity.bits[compared % Sensitivity.bits.count]
      let expected = try divergence(
        of: members.flatMap { [$0.name] + $0.tensor.parts.map(\.name) }, bits: bits, vector,
        squares, windows, number: compared)
      let sum = try members.reduce(0) { sum, member in
        let points = try #require(found.tensors[member.name])
        #expect(points.map(\.layout.bits) == Sensitivity.bits)
        return sum + (points.first { $0.layout.bits == bits }?.loss.divergence ?? .nan)
      }
      #expect(abs(sum - expected) <= 1e-9 + 1e-6 * expected, "\(tensor.name) at \(bits) bits")
      #expect(expected > 0)
    }
    #expect(compared >= 4)
  }

  /// Between minimum and maximum of a token's head, scale and offset in F16.
  private final class NaiveQuantizer: ForwardObserver {
    let kind: ObservedPlace.Kind
    let bits: Int
    let width: Int

    init(_ kind: ObservedPlace.Kind, bits: Int, width: Int) {
      (self.kind, self.bits, self.width) = (kind, bits, width)
    }

    func observe(_ values: inout MutableSpan<Float>, at place: ObservedPlace) {
      guard place.layer == 1, place.kind == kind else { return }
      for start in stride(from: 0, to: values.count, by: width) {
        let group = NaiveGroup.minMax(
          (start..<start + width).map { Double(values[$0]) }, bits: bits, type: .f16)
        for (offset, code) in group.codes.enumerated() {
          values[start + offset] = Float(Double(code) * group.scale + group.bias)
        }
      }
    }
  }

  @Test(arguments: ["llama-tied", "qwen3"], [ObservedPlace.Kind.keys, .values])
  func thatOfTheCacheIsOneLayers(_ name: String, _ kind: ObservedPlace.Kind) throws {
    let vector = try ReferenceVector(name)
    let model = try vector.model()
    let windows = WindowPlan(length: 16)
    let found = try SensitivityRun(
      model, vector.tokens, windows, meanSquares: meanSquares(model, vector.tokens)
    ).run(RunContext(threads: 2))
    #expect(found.cache.count == 2 * model.description.layers.count)
    let points = try #require(
      found.cache[Sensitivity.cacheName(kind == .keys ? .key : .value, layer: 1)])
    #expect(points.map(\.bits) == [2, 4])
    guard case .attention(let attention) = model.description.layers[1].mixer else {
      Issue.record("layer 1 has no attention")
      return
    }
    for point in points {
      let quantizer = NaiveQuantizer(kind, bits: point.bits, width: attention.heads.width)
      let expected = try Evaluation(windows, RunContext(threads: 2))
        .divergence(of: model, from: model, on: vector.tokens, observer: quantizer).divergence.mean
      #expect(expected > 0 && point.relativeError > 0)
      #expect(abs(point.divergence - expected) <= 1e-9 + 1e-3 * expected, "\(point.bits) bits")
    }
  }

  private func meanSquares(_ model: ForwardModel, _ tokens: [Int]) throws -> [String: [Float]] {
    var options = MeasureOptions()
    options.keepsChannels = true
    let measured = try TextCapture(model, tokens, WindowPlan(length: 16), options: options)
      .run(RunContext(threads: 2)).tensors
    return try Calibration([], of: model.checkpoint, options: options)
      .meanSquares(measured.map(\.figures))
  }

  /// Of a conversion that keeps everything but some tensors, named as here or in the source.
  private func divergence(
    of names: [String], bits: Int, _ vector: ReferenceVector, _ squares: [String: [Float]],
    _ windows: WindowPlan, number: Int
  ) throws -> Double {
    var options = ConversionOptions()
    options.bits = bits
    options.meanSquares = squares
    let own = names.map {
      $0.replacing(/\.weight$/, with: "").replacing(".", with: "\\.")
    }.joined(separator: "|")
    options.keep = [try NamePattern("re:^(?!(\(own))(\\.weight)?$)")]
    let plan = try ConversionPlan(Checkpoint(path: vector.path), options: options)
    let output = folder.path("packed\(number)")
    _ = try Conversion(plan, target: OutputTarget(path: output))
      .run(replacing: false, RunContext(threads: 2))
    let packed = try ForwardModel(Checkpoint(path: output))
    return try Evaluation(windows, RunContext(threads: 2))
      .divergence(of: packed, from: vector.model(), on: vector.tokens).divergence.mean
  }

  @Test func aCalibrationKeepsIt() throws {
    let vector = try ReferenceVector("llama")
    let (model, windows) = (try vector.model(), WindowPlan(length: 16))
    let text = try folder.write("a text", to: "text.txt")
    let path = folder.path("cal.safetensors")
    let summary = try TextCalibration(
      model, vector.tokens, windows, gramsOf: [], sensitivityTokens: 32
    ).run(to: path, of: InputFile(path: text), RunContext(threads: 2))
    let read = try CalibrationFile(path: path, for: model.checkpoint, RunContext(threads: 1))
    #expect(read.record.sensitivity == summary.sensitivity)
    // Two windows; each predicts all but its first token.
    #expect(read.record.sensitivity?.tokenCount == 30)
    #expect(!read.hasGrams)
    #expect(try read.tokens() == vector.tokens)
  }
}
