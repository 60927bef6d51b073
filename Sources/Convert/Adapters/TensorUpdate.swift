import Formats

/// What a merge does to one tensor of the base.
struct TensorUpdate: Sendable {
  /// Pooled pairs: constant within groups of inputs.
  var pooled: [LowRankUpdate] = []
  /// Ordinary pairs: a change of every weight.
  var dense: [LowRankUpdate] = []
  /// DoRA: the rows' lengths after the dense updates.
  var magnitude: AdapterTensor?
  /// PEQA: takes the place of the packed weight's scales.
  var scales: AdapterTensor?
  /// Takes the tensor's place.
  var replacement: AdapterTensor?
  /// Added to the tensor, element by element.
  var additions: [(tensor: AdapterTensor, factor: Double)] = []
}
