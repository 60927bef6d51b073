/// The part of a layer that sees each token by itself.
package enum FeedForwardDescription: Sendable, Equatable {
  case plain(PlainFeedForward)
  case gated(GatedFeedForward)
  case mixture(MixtureDescription)
}

/// `down(activation(up(x)))`.
package struct PlainFeedForward: Sendable, Equatable {
  package let up: LinearDescription
  package let down: LinearDescription
  package let activation: Activation
}

/// `down(activation(gate(x)) * up(x))`. Shazeer, arXiv 2002.05202, equation 6.
package struct GatedFeedForward: Sendable, Equatable {
  package enum Projection: Sendable, Equatable {
    case separate(gate: LinearDescription, up: LinearDescription)
    case fused(LinearDescription, FusedRows)
  }

  package let projection: Projection
  package let down: LinearDescription
  package let gating: Gating

  package enum Gating: Sendable, Equatable {
    case activated(Activation)
    /// gpt-oss: with `g = min(gate, limit)` and `u` within `±limit`, `(u + 1) g σ(alpha g)`.
    case clamped(limit: Float, alpha: Float)
  }
}
