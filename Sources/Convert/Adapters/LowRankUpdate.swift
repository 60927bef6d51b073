import Formats

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
