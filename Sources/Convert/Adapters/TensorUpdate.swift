import Formats

/// A weight of the base that an adapter's module may be merged into.
struct MergeTarget {
  let name: String
  /// As the source stores it.
  let shape: [UInt64]
  let order: MatrixOrder

  /// `[out, in]`; nil for what is no matrix.
  var matrix: (outputs: Int, inputs: Int)? {
    guard shape.count == 2, let first = Int(exactly: shape[0]), let second = Int(exactly: shape[1])
    else { return nil }
    return order == .inputMajor ? (second, first) : (first, second)
  }
}

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

/// One tensor of one adapter.
struct AdapterTensor: Sendable {
  let adapter: Adapter
  let tensor: TensorInfo
}

/// A low-rank pair with its factor settled: the update of a weight is `factor · B·A`, where each
/// column of A serves `group` consecutive inputs.
struct LowRankUpdate: Sendable {
  let adapter: Adapter
  let module: String
  let pair: Adapter.Pair
  /// Weight of the adapter times scaling, and times the pooling's k where inputs are pooled.
  let factor: Double
  /// Inputs per column of A; 1 for an ordinary pair.
  let group: Int
  /// How inputs were pooled, and the factor without k; nil for an ordinary pair.
  let forward: (pooling: PoolingConvention, factor: Double)?

  /// Columns of the product, before each serves a group: of A; of Bᵀ for an embedding.
  var columns: Int { pair.isEmbedding ? pair.b.dimensions[0] : pair.a.dimensions[1] }
}
