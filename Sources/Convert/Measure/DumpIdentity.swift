import Model

/// What a tensor of a dump belongs to.
struct DumpIdentity {
  let kind: TensorStatistics.Kind
  /// Name of the weight whose inputs these are; empty for the cache.
  var weight = ""
  var role: TensorRole?
  var layer: Int?
  var expert: Int?

  /// Whether a map of it is wanted where maps are: of what is smoothed, and of the cache.
  var isMapped: Bool { kind == .activation ? role?.smoothedInput != nil : true }
}
