import Convert
import Model

/// A model that is run as if it were quantized: weights, activations and cache are quantized and decoded, and
/// arithmetic is in F32. Li et al., "Evaluating Quantized Large Language Models" (Qllm-Eval), arXiv 2402.18158.
package struct FakeQuantization {
  package let model: ForwardModel
  package let groups: WeightGroups
  /// Of points that quantize activations; nil where they are quantized as they are.
  private let smoothing: ActivationSmoothing?

  /// - Parameters:
  ///   - groupSize: of weights; nil for 128 where that divides their inputs, else 64 or 32.
  ///   - smoothing: of the same model.
  /// - Throws: `ForwardError.groupDoesNotDivide`.
  package init(
    _ model: ForwardModel, groupSize: Int? = nil, smoothing: ActivationSmoothing? = nil
  ) throws {
    self.model = model
    self.smoothing = smoothing
    groups = try WeightGroups(model, size: groupSize)
  }

  private var hasCache: Bool { model.description.layers.contains { $0.mixer.heads != nil } }

  /// The grid of the paper; without the cache for models that have none.
  package var qllmEvalPoints: [QuantizationPoint] {
    QuantizationPoint.qllmEval.filter { hasCache || $0.cache == nil }
  }

  /// What is run for a point.
  ///
  /// - Parameter scaled: the model with scaled channels; nil for the model as it is.
  /// - Throws: `ForwardError.noCache`, `.nothingToQuantize`.
  package func subject(
    at point: QuantizationPoint, of scaled: ForwardModel? = nil
  ) throws -> Evaluation.Subject {
    let model = scaled ?? model
    guard hasCache || point.cache == nil else {
      throw ForwardError.noCache(modelType: model.description.modelType)
    }
    guard !groups.sizes.isEmpty || point.weights == nil && point.activations == nil else {
      throw ForwardError.nothingToQuantize(modelType: model.description.modelType)
    }
    let weights = point.weights.map { model.weights.fakeQuantized(groups.layouts(bits: $0)) }
    let quantizer =
      point.activations == nil && point.cache == nil
      ? nil : FakeQuantizer(point, modules: groups.modules, of: model.description)
    return Evaluation.Subject(weights.map(model.with) ?? model, observer: quantizer)
  }

  /// Runs the model as it is and at every point, and tells how far their predictions are apart.
  ///
  /// - Returns: one for each point.
  /// - Throws: as `subject` and `Evaluation.divergences`.
  package func measure(
    _ points: [QuantizationPoint], on tokens: [Int], _ evaluation: Evaluation
  ) throws -> [MeasuredPoint] {
    let chosen = try points.map { try candidate(for: $0, evaluation) }
    let found = try evaluation.divergences(
      of: zip(points, chosen).map { try subject(at: $0, of: $1?.model) }, from: model, on: tokens)
    return zip(zip(points, chosen), found).map {
      MeasuredPoint(point: $0.0, alpha: $0.1?.alpha, divergence: $1)
    }
  }

  /// How channels are scaled for a point: as the calibration's tokens lose least, the first of several.
  private func candidate(
    for point: QuantizationPoint, _ evaluation: Evaluation
  ) throws -> ActivationSmoothing.Candidate? {
    guard let smoothing, point.activations != nil else { return nil }
    let candidates = smoothing.candidates
    guard candidates.count > 1 else { return candidates.first }
    let losses = try evaluation.with(smoothing.windows).divergences(
      of: candidates.map { try subject(at: point, of: $0.model) }, from: model,
      on: smoothing.tokens
    ).map(\.divergence.mean)
    return candidates.indices.min { (losses[$0], $0) < (losses[$1], $1) }.map { candidates[$0] }
  }

  /// Bytes of progress that `measure` is.
  package func byteCount(of points: [QuantizationPoint]) -> Int {
    let tried = smoothing.map { $0.candidates.count > 1 ? $0.candidates.count + 1 : 0 } ?? 0
    let trials = points.count { $0.activations != nil } * tried
    return (points.count + 1 + trials) * model.byteCount
  }
}
