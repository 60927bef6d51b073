import Convert
import Model

/// A model that is run as if it were quantized: weights, activations and cache are quantized and decoded, and
/// arithmetic is in F32. Li et al., "Evaluating Quantized Large Language Models" (Qllm-Eval), arXiv 2402.18158.
package struct FakeQuantization {
  package let model: ForwardModel
  package let groups: WeightGroups

  /// - Parameter groupSize: of weights; nil for 128 where that divides their inputs, else 64 or 32.
  /// - Throws: `ForwardError.groupDoesNotDivide`.
  package init(_ model: ForwardModel, groupSize: Int? = nil) throws {
    self.model = model
    groups = try WeightGroups(model, size: groupSize)
  }

  private var hasCache: Bool { model.description.layers.contains { $0.mixer.heads != nil } }

  /// The grid of the paper; without the cache for models that have none.
  package var qllmEvalPoints: [QuantizationPoint] {
    QuantizationPoint.qllmEval.filter { hasCache || $0.cache == nil }
  }

  /// What is run for a point.
  ///
  /// - Throws: `ForwardError.noCache`, `.nothingToQuantize`.
  package func subject(at point: QuantizationPoint) throws -> Evaluation.Subject {
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
    let found = try evaluation.divergences(
      of: points.map(subject), from: model, on: tokens)
    return zip(points, found).map { MeasuredPoint(point: $0, divergence: $1) }
  }

  /// Bytes of progress that `measure` is.
  package func byteCount(of points: [QuantizationPoint]) -> Int {
    (points.count + 1) * model.byteCount
  }
}
