import Formats
import Model

/// Chooses the scales of a model's channels, from the inputs that a calibration saw.
///
/// Each fold is looked at by itself, on any thread; what is found does not depend on how many there are.
package struct FoldSearch {
  private let smoothing: ChannelSmoothing
  private let plan: ConversionPlan
  private let calibration: CalibrationFile
  private let model: ModelFolds
  private let folds: [ChannelFold]
  /// By name of the tensor in the checkpoint.
  private let parts: [String: Part]
  /// By module.
  private let figures: [String: TensorFigures]

  private struct Part {
    let tensor: SourceTensor
    let scale: WeightScale?
    let quantizer: WeightQuantizer?
  }

  /// Rows of all readers of a fold that scalings are tried on, and the fewest of each.
  private static let sampledRows = 512
  private static let fewestRows = 16
  /// What a scaling must gain over none: less may be chance.
  private static let smallestGain = 0.01
  /// Inputs beyond which Gram matrices of several threads would take too much memory.
  private static let widestAtOnce = 2048

  /// - Parameter plan: the conversion without folds.
  /// - Throws: `FoldError`; `ArchitectureError` of a family that is not known.
  package init(
    _ smoothing: ChannelSmoothing, _ plan: ConversionPlan, _ calibration: CalibrationFile
  ) throws {
    self.smoothing = smoothing
    self.plan = plan
    self.calibration = calibration
    model = try ModelFolds(plan.checkpoint)
    var parts: [String: Part] = [:]
    for tensor in plan.tensors {
      for (part, scale) in zip(tensor.tensor.parts, tensor.scales) {
        var quantizer: WeightQuantizer?
        if case .quantize(let layout, let type) = tensor.action {
          quantizer = WeightQuantizer(
            layout: layout, scaleType: type,
            method: tensor.method(askedFor: plan.options.method))
        }
        // One that is cut becomes several: the first stands for them.
        let known = parts[part.name]
        guard known?.quantizer == nil else { continue }
        parts[part.name] = Part(tensor: part, scale: scale, quantizer: quantizer)
      }
    }
    self.parts = parts
    figures = Dictionary(
      calibration.figures.compactMap { figure in
        guard case .input(let module)? = DumpName(figure.name)?.subject else { return nil }
        return (module, figure)
      }, uniquingKeysWith: { first, _ in first })
    var folds: [ChannelFold] = []
    for layer in model.description.layers { folds += layer.folds }
    guard !folds.isEmpty else {
      throw FoldError.noFolds(
        path: plan.checkpoint.path, modelType: model.description.modelType)
    }
    let (model, known) = (model, figures)
    self.folds = folds.filter { fold in
      fold.readers.contains { known[model.stored($0.module)] != nil }
    }
    guard !self.folds.isEmpty else {
      throw FoldError.notMeasured(path: plan.checkpoint.path, calibration: calibration.path)
    }
  }

  /// Bytes of progress that `run` is; each fold is as many.
  package var byteCount: Int { folds.count * bytesPerFold }

  private var bytesPerFold: Int {
    plan.tensors.reduce(0) { $0 + $1.tensor.byteCount } / folds.count
  }

  /// The folds that change anything, in the order of the layers.
  ///
  /// - Throws: `FoldError`, `ConversionError`, `FileError`, `GramError`, `CancellationError`.
  package func run(_ context: RunContext) throws -> [Manifest.Fold] {
    let grams = calibration.hasGrams ? calibration : nil
    let cache = grams.map { GPTQCache($0) }
    let isWide = folds.contains { ($0.readers.map(\.inputs).max() ?? 0) > Self.widestAtOnce }
    let threads = plan.options.method.needsGrams && isWide ? 1 : context.threads
    var found: [Manifest.Fold] = []
    var next = 0
    let pipeline = OrderedPipeline(
      slots: (0..<2 * threads).map { _ in Slot(FoldJudge(cache, grams)) },
      next: { () -> ChannelFold? in
        guard next < folds.count else { return nil }
        defer { next += 1 }
        return folds[next]
      },
      work: { fold, slot in
        try context.cancellation.check()
        slot.exponents = try exponents(of: fold, slot.judge, context.cancellation)
      },
      handOn: { fold, slot in
        context.progress(bytesPerFold)
        guard slot.exponents.contains(where: { $0 != 0 }) else { return }
        found.append(
          Manifest.Fold(module: model.stored(fold.module), exponents: slot.exponents))
      })
    try pipeline.run(threads: threads)
    return found
  }

  private final class Slot {
    let judge: FoldJudge
    var exponents: [Int] = []

    init(_ judge: FoldJudge) { self.judge = judge }
  }

  private func exponents(
    of fold: ChannelFold, _ judge: FoldJudge, _ cancellation: Cancellation
  ) throws -> [Int] {
    let readers = try fold.readers.map(reader)
    let measured = fold.readers.lazy.compactMap { figures[model.stored($0.module)] }.first
    guard readers.contains(where: { $0.quantizer != nil }),
      let inputs = measured?.absMax, let squares = measured?.meanSquares,
      inputs.count == fold.readers[0].inputs, squares.count == inputs.count
    else { return [] }
    switch smoothing {
    case .alpha(let alpha):
      var weights = [Float](repeating: 0, count: inputs.count)
      for reader in readers {
        weights = zip(weights, try reader.maxima(in: judge.tile, cancellation)).map { max($0, $1) }
      }
      let exponents = FoldScales.smoothed(
        inputs: fold.largest(inputs), weights: fold.largest(weights), alpha: alpha)
      return try held(exponents, by: fold)
    case .automatic:
      let means = fold.means(squares)
      var candidates = [[Int](repeating: 0, count: fold.channelCount)]
      for exponent in FoldScales.tried {
        let scaled = try held(
          FoldScales.weighted(meanSquares: means, exponent: exponent), by: fold)
        if !candidates.contains(scaled) { candidates.append(scaled) }
      }
      return try best(of: candidates, fold, readers, squares, judge, cancellation)
    }
  }

  /// The scaling with which the readers' outputs lose least.
  ///
  /// - Parameter candidates: the first of them is none.
  private func best(
    of candidates: [[Int]], _ fold: ChannelFold, _ readers: [FoldReader], _ squares: [Float],
    _ judge: FoldJudge, _ cancellation: Cancellation
  ) throws -> [Int] {
    let byInput = candidates.map { exponents in
      squares.indices.map { exponents[fold.channel(ofInput: $0)] }
    }
    let rows = max(Self.fewestRows, Self.sampledRows / readers.count)
    var losses = candidates.map { _ in 0.0 }
    for reader in readers {
      try cancellation.check()
      // Experts see other tokens each.
      let own = figures[model.stored(reader.linear.module)]?.meanSquares ?? squares
      let share = Double(reader.linear.outputs) / Double(min(rows, reader.linear.outputs))
      let found = try judge.losses(
        of: reader, rows: rows, candidates: byInput, meanSquares: own)
      losses = zip(losses, found).map { $0 + $1 * share }
    }
    let least = losses.indices.min { (losses[$0], $0) < (losses[$1], $1) } ?? 0
    return losses[least] < (1 - Self.smallestGain) * losses[0] ? candidates[least] : candidates[0]
  }

  private func reader(_ linear: LinearDescription) throws -> FoldReader {
    let tensor = try model.tensor(linear.weight, linear.weightShape)
    let part = parts[tensor.name]
    return FoldReader(
      linear: linear, weight: tensor.name,
      source: WeightSource(
        name: tensor.name, file: model.checkpoint.fileName(of: tensor),
        storage: tensor.storage(
          in: model.checkpoint, scales: [part?.scale], turning: linear.order),
        nonFinite: plan.options.nonFinite),
      quantizer: part?.quantizer)
  }

  /// The same without what a norm's stored numbers cannot take up exactly, such as what would fall below the
  /// least normal number of their type.
  private func held(_ exponents: [Int], by fold: ChannelFold) throws -> [Int] {
    guard case .norm(let norm) = fold.producer, norm.kind != .rmsAboveOne else { return exponents }
    var exponents = exponents
    for name in norm.weights + norm.biases {
      let type = ScaleType(try model.tensor(name, norm.shape).dtype) ?? .f32
      for (channel, number) in try model.numbers(name, norm.shape).enumerated() {
        let factor = Float(sign: .plus, exponent: -exponents[channel], significand: 1)
        if type.round(number * factor) / factor != number { exponents[channel] = 0 }
      }
    }
    return exponents
  }
}

extension ChannelFold {
  /// Of each channel the largest of what its inputs have.
  fileprivate func largest(_ ofInputs: [Float]) -> [Float] {
    var largest = [Float](repeating: 0, count: channelCount)
    for (input, value) in ofInputs.enumerated() {
      let channel = channel(ofInput: input)
      largest[channel] = max(largest[channel], value)
    }
    return largest
  }

  /// Of each channel the mean of what its inputs have.
  fileprivate func means(_ ofInputs: [Float]) -> [Float] {
    var sums = [Float](repeating: 0, count: channelCount)
    for (input, value) in ofInputs.enumerated() {
      sums[channel(ofInput: input)] += value / Float(runsPerChannels)
    }
    return sums
  }
}
