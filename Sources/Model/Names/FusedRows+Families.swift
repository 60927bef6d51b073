import Formats

// Every number here comes from a configuration or a header that may lie. Whatever does not add up
// to the rows of the tensor gives no cut.

extension FusedRows {
  /// How the outputs of the weight `name` are cut; nil where it is not fused, or not known.
  init?(
    _ name: TensorName, role: TensorRole, shape: [Int], order: MatrixOrder, config: ModelConfig?
  ) {
    guard name.leaf == .weight || role.isExpert, shape.count >= 2 else { return nil }
    // A stack has its outputs one place further in than a matrix, packed 4-bit blocks included.
    let isStack = shape.count > 2
    let outputs = order == .inputMajor ? shape[shape.count - 1] : shape[isStack ? 1 : 0]
    let inputs = MatrixShape(stored: shape, order).inputs
    let cut: FusedRows? =
      switch role {
      case .attnQKV:
        config.flatMap { Self.attention(name, rowCount: outputs, inputs: inputs, config: $0) }
      case .attnKV: Self.halves(.k, .v, rowCount: outputs)
      case .mlpGateUp, .sharedExpertGateUp: Self.halves(.gate, .up, rowCount: outputs)
      case .expertGateUp: Self.experts(name, rowCount: outputs, family: config?.family)
      case .ssmIn: Self.stateSpaceInput(rowCount: outputs, config: config)
      case .ssmX: Self.stateSpaceParameters(rowCount: outputs, config: config)
      default: nil
      }
    guard let cut else { return nil }
    self = cut
  }

  private static func halves(_ first: Part, _ second: Part, rowCount: Int) -> FusedRows? {
    FusedRows([Run(first, rowCount / 2), Run(second, rowCount / 2)], rowCount: rowCount)
  }

  /// gpt-oss and Inkling interleave gate and up (rows 0, 2, … and 1, 3, …); all others put one after
  /// the other.
  private static func experts(_ name: TensorName, rowCount: Int, family: String?) -> FusedRows? {
    switch (family, name.module) {
    case (nil, _): nil
    case ("gpt_oss", _), (_, "w13_weight"):
      FusedRows([Run(.gate, 1), Run(.up, 1)], repeats: rowCount / 2, rowCount: rowCount)
    default: halves(.gate, .up, rowCount: rowCount)
    }
  }
}

// Attention.
extension FusedRows {
  private enum AttentionOrder {
    /// All queries, all keys, all values.
    case contiguous
    /// For each key head: the queries that share it, the key, the value. With as many key heads as
    /// query heads this is "per head q, k, v"; with one it is the contiguous order.
    case grouped
  }

  private static func attention(
    _ name: TensorName, rowCount: Int, inputs: Int, config: ModelConfig
  ) -> FusedRows? {
    guard let order = attentionOrder(name, config: config), let heads = config.headCount,
      let keyHeads = config.keyValueHeadCount, keyHeads <= heads,
      let width = config.headDimension ?? (inputs % heads == 0 ? inputs / heads : nil)
    else { return nil }
    switch order {
    case .contiguous:
      guard let queryRows = product(heads, width), let keyRows = product(keyHeads, width) else {
        return nil
      }
      if name.module == "gqkv_proj" {
        return FusedRows(
          [Run(.gate, queryRows), Run(.q, queryRows), Run(.k, keyRows), Run(.v, keyRows)],
          rowCount: rowCount)
      }
      return FusedRows(
        [Run(.q, queryRows), Run(.k, keyRows), Run(.v, keyRows)], rowCount: rowCount)
    case .grouped:
      guard heads % keyHeads == 0, let queryRows = product(heads / keyHeads, width) else {
        return nil
      }
      return FusedRows(
        [Run(.q, queryRows), Run(.k, width), Run(.v, width)], repeats: keyHeads, rowCount: rowCount)
    }
  }

  /// `query_key_value` means something else in each family; the other names are contiguous, but for
  /// GPT-BigCode's `c_attn` with a key for each head, InternLM2's `wqkv`, and the `qkv_proj` of
  /// MiniMax-Text's lightning attention and of CodeGen, which has its parts in another order.
  private static func attentionOrder(_ name: TensorName, config: ModelConfig) -> AttentionOrder? {
    switch (name.module, config.family) {
    case ("query_key_value", "falcon"), ("query_key_value", "RefinedWeb"),
      ("query_key_value", "RefinedWebModel"), ("query_key_value", "bloom"),
      ("query_key_value", "gpt_neox"):
      .grouped
    case ("query_key_value", "chatglm"):
      config.fact("multi_query_attention")?.boolValue == true ? .contiguous : .grouped
    case ("query_key_value", _), ("qkv_proj", "minimax"), ("qkv_proj", "codegen"): nil
    case ("wqkv", _): .grouped
    case ("c_attn", "gpt_bigcode"):
      config.fact("multi_query")?.boolValue == false ? .grouped : .contiguous
    default: .contiguous
    }
  }

  private static func product(_ a: Int, _ b: Int) -> Int? {
    let (value, overflow) = a.multipliedReportingOverflow(by: b)
    return overflow ? nil : value
  }
}

// State-space layers.
extension FusedRows {
  /// The families whose input projection is `[x; z]`; Mamba 2 has more parts there.
  private static let firstGeneration: Set<String> = ["mamba", "falcon_mamba", "jamba"]

  private static func stateSpaceInput(rowCount: Int, config: ModelConfig?) -> FusedRows? {
    guard let config, let family = config.family, firstGeneration.contains(family) else {
      return nil
    }
    if let expansion = config.positive("expand", "mamba_expand"), let hidden = config.hiddenSize {
      guard let inner = product(expansion, hidden) else { return nil }
      return FusedRows([Run(.x, inner), Run(.z, inner)], rowCount: rowCount)
    }
    return halves(.x, .z, rowCount: rowCount)
  }

  /// `[dt; B; C]`: the rank of the step size, then twice the size of the state.
  private static func stateSpaceParameters(rowCount: Int, config: ModelConfig?) -> FusedRows? {
    guard let config, let state = config.positive("state_size", "mamba_d_state", "d_state"),
      let rank = config.positive("time_step_rank", "mamba_dt_rank", "dt_rank")
        ?? config.hiddenSize.map({ ($0 - 1) / 16 + 1 })
    else { return nil }
    return FusedRows([Run(.dt, rank), Run(.b, state), Run(.c, state)], rowCount: rowCount)
  }
}
