import Model

/// What a relative error in a tensor does to the model's output, compared with one in the output head, as far as
/// its place in the model tells.
///
/// The head's error is in the logits as it is. A layer writes into the residual stream, the sum of two branches for
/// each layer, so that the noise of one is diluted by all. The embedding, where that sum begins, is small: most of
/// what the second layer reads is the first one's work, and every layer sees its error. Queries and keys only say
/// where to look. docs/PLAN.md has the measurements that the numbers are held against; they are rough.
struct TensorImportance {
  private let layerCount: Int
  /// Whether the output head is a tensor of its own, not the embedding.
  private let hasHead: Bool
  private let expertCounts: [LayerRole: Int]

  private struct LayerRole: Hashable {
    let layer: Int?
    let role: TensorRole

    init(_ identity: TensorIdentity) { (layer, role) = (identity.layer, identity.role) }
  }

  init(_ plan: ConversionPlan) {
    let kept = plan.tensors.filter { $0.standing != .dropped }.map(\.identity)
    layerCount = (kept.compactMap(\.layer).max() ?? 0) + 1
    hasHead = kept.contains { $0.role == .outputHead }
    expertCounts = kept.reduce(into: [:]) { counts, identity in
      if identity.expert != nil { counts[LayerRole(identity), default: 0] += 1 }
    }
  }

  func weight(of identity: TensorIdentity) -> Double {
    switch identity.role {
    case .outputHead: return 1
    case .tokenEmbedding: return hasHead ? 0.5 : 1
    default: break
    }
    guard let layer = identity.layer else { return 1 }
    let branch = 0.2 / Double(layerCount) * (layer == 0 ? Self.ofFirstLayer(identity.role) : 1)
    // The outputs of a block's experts are averaged.
    let share = identity.expert == nil ? 1 : expertCounts[LayerRole(identity), default: 1]
    return branch * Self.work(of: identity) / Double(share)
  }

  private static func ofFirstLayer(_ role: TensorRole) -> Double {
    switch role {
    case .attnQ, .attnK, .attnV, .attnQKV, .attnKV, .attnO, .attnGate, .attnQA, .attnQB, .attnKVA,
      .attnKVB:
      3
    default: 6
    }
  }

  /// A fused tensor does that of several.
  private static func work(of identity: TensorIdentity) -> Double {
    let parts = Set((identity.fusedRows?.pattern ?? []).map(\.part))
    guard parts.isEmpty else {
      return parts.reduce(0) { $0 + ($1 == .q || $1 == .k ? 0.5 : 1) }
    }
    return identity.role == .attnQ || identity.role == .attnK ? 0.5 : 1
  }
}
