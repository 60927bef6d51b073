import Convert
import Formats
import Forward
import Foundation
import Model
import Testing

/// Scales that are chosen for the inputs of a text.
@Suite struct FoldSearchTests {
  private let folder: TemporaryFolder
  private let vector: ReferenceVector
  /// A twin of a small model, the same function with a few channels that are 64 times larger.
  private var twin: String { folder.path("twin") }

  init() throws {
    folder = try TemporaryFolder()
    vector = try ReferenceVector("llama")
    var options = ConversionOptions()
    options.keep = [try NamePattern("*")]
    options.minimumCoverage = 0
    let source = try Checkpoint(path: vector.path)
    options.folds = try ForwardModel(source).description.layers.flatMap(\.folds).map { fold in
      Manifest.Fold(
        module: fold.module,
        exponents: (0..<fold.channelCount).map { $0 % 11 == 3 ? -6 : 0 })
    }
    try convert(source, options, to: folder.path("folded"))
    try Unpacker(
      PackedCheckpoint(Checkpoint(path: folder.path("folded"))), target: OutputTarget(path: twin),
      type: nil, shardLimit: 1 << 30
    ).run(replacing: false, RunContext(threads: 2))
  }

  private func convert(_ source: Checkpoint, _ options: ConversionOptions, to path: String) throws {
    _ = try Conversion(
      ConversionPlan(source, options: options), target: OutputTarget(path: path)
    ).run(replacing: false, RunContext(threads: 2))
  }

  private func calibration() throws -> CalibrationFile {
    let checkpoint = try Checkpoint(path: twin)
    let path = folder.path("cal.safetensors")
    let text = try folder.write("a text", to: "text.txt")
    _ = try TextCalibration(
      ForwardModel(checkpoint), vector.tokens, WindowPlan(length: vector.tokens.count),
      gramsOf: ConversionPlan.quantizedModules(of: checkpoint)
    ).run(to: path, of: InputFile(path: text), RunContext(threads: 2))
    return try CalibrationFile(path: path, for: checkpoint, RunContext(threads: 2))
  }

  private func options(_ method: QuantizationMethod, _ file: CalibrationFile) throws
    -> ConversionOptions
  {
    var options = ConversionOptions()
    (options.bits, options.groupSize, options.method) = (3, 32, method)
    options.meanSquares = try Calibration([], of: Checkpoint(path: twin), options: MeasureOptions())
      .meanSquares(file.figures)
    options.grams = method.needsGrams ? file : nil
    return options
  }

  /// The mean square by which a conversion's logits are away from the model's.
  private func loss(_ options: ConversionOptions, _ name: String) throws -> Double {
    try convert(Checkpoint(path: twin), options, to: folder.path(name))
    let own = try logits(ForwardModel(Checkpoint(path: folder.path(name))), [vector.tokens])
    return zip(own, vector.logits).reduce(0) { $0 + pow(Double($1.0 - $1.1), 2) }
  }

  @Test func theTwinIsTheSameFunction() throws {
    let own = try logits(ForwardModel(Checkpoint(path: twin)), [vector.tokens])
    #expect(largestDifference(own, vector.logits) < 1e-4)
  }

  /// Scaled back, channels like those of the twin lose less in coarse steps that they share with others.
  @Test(arguments: [ChannelSmoothing.automatic, .alpha(0.5)])
  func scalingKeepsMoreOfAModelWithOutliers(smoothing: ChannelSmoothing) throws {
    let file = try calibration()
    var options = try options(.minmax, file)
    let plan = try ConversionPlan(Checkpoint(path: twin), options: options)
    let search = try FoldSearch(smoothing, plan, file)
    let plain = try loss(options, "plain")
    options.folds = try search.run(RunContext(threads: 1))
    #expect(try search.run(RunContext(threads: 3)) == options.folds)
    #expect(!options.folds.isEmpty)
    #expect(try loss(options, "scaled") < 0.6 * plain)
  }

  /// Eq. 4 of SmoothQuant, worked out beside, rounded to powers of two.
  @Test func alphaIsSmoothQuants() throws {
    let file = try calibration()
    let plan = try ConversionPlan(Checkpoint(path: twin), options: try options(.search, file))
    let folds = try FoldSearch(.alpha(0.5), plan, file).run(RunContext(threads: 2))
    let norm = "model.layers.1.post_attention_layernorm"
    let found = try #require(folds.first { $0.module == norm }).exponents
    let inputs = try #require(
      file.figures.first { $0.name == "model.layers.1.mlp.gate_proj.input" }?.absMax)
    let stored = try TensorFile(twin + "/model.safetensors")
    let matrices = ["gate", "up"].map { stored.floats("model.layers.1.mlp.\($0)_proj.weight") }
    let ideal = inputs.indices.map { channel in
      let weight =
        matrices.flatMap { matrix in
          stride(from: channel, to: matrix.count, by: inputs.count).map { abs(matrix[$0]) }
        }.max() ?? 0
      return log2((Double(inputs[channel]) / Double(weight)).squareRoot())
    }
    let middle = (ideal.max()! + ideal.min()!) / 2
    #expect(found == ideal.map { Int(($0 - middle).rounded()) })
  }

  /// No scaling is among what is tried: what loses most of a model keeps it.
  @Test func gptqLosesNoMoreThanWithout() throws {
    let file = try calibration()
    var options = try options(.gptq, file)
    let plan = try ConversionPlan(Checkpoint(path: twin), options: options)
    let plain = try loss(options, "plain")
    options.folds = try FoldSearch(.automatic, plan, file).run(RunContext(threads: 2))
    #expect(try loss(options, "scaled") < 1.1 * plain)
  }

  /// Inputs with a few large channels, quantized by token, lose less when these are made smaller; and what is chosen
  /// among all exponents and none is at least as good, on the text that it was chosen on.
  @Test func smoothedActivationsLoseLess() throws {
    let file = try calibration()
    let model = try ForwardModel(Checkpoint(path: twin))
    let point = try #require(QuantizationPoint(weights: 8, activations: 4))
    let weights = try #require(QuantizationPoint(weights: 4))
    func measure(_ smoothing: ChannelSmoothing?) throws -> [MeasuredPoint] {
      let context = RunContext(threads: 2)
      let quantization = try FakeQuantization(
        model, groupSize: 32,
        smoothing: try smoothing.map { try ActivationSmoothing($0, model, file, context) })
      return try quantization.measure(
        [point, weights], on: vector.tokens,
        Evaluation(WindowPlan(length: vector.tokens.count), context))
    }
    let (plain, half, best) = (
      try measure(nil), try measure(.alpha(0.5)), try measure(.automatic)
    )
    #expect(half[0].divergence.divergence.mean < 0.6 * plain[0].divergence.divergence.mean)
    #expect(best[0].divergence.divergence.mean <= half[0].divergence.divergence.mean)
    #expect(plain[0].alpha == nil && half[0].alpha == 0.5 && best[0].alpha != nil)
    // Where activations are as they were, so are channels.
    #expect(half[1] == plain[1] && best[1] == plain[1])
  }
}
