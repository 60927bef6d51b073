/// One layer of a decoder.
///
/// `x` is its input, r is `residualScale`; norms that are absent leave what they get as it is.
/// - sequential: `y = afterMixer(x + r postMixer(mixer(preMixer(x))))`, then the same of `y` with the
///   feed-forward part.
/// - parallel: `x + mixer(preMixer(x)) + feedForward(preFeedForward(x))`.
package struct LayerDescription: Sendable, Equatable {
  package enum Arrangement: Sendable, Equatable {
    case sequential
    /// The feed-forward part reads the layer's input too. Without a norm of its own it reads what the mixer
    /// reads.
    case parallel
  }

  package enum Mixer: Sendable, Equatable {
    case attention(AttentionDescription)
    case latentAttention(LatentAttentionDescription)
    case mamba(MambaDescription)
    case mamba2(Mamba2Description)
  }

  package let index: Int
  package let arrangement: Arrangement
  package let norms: Norms
  package let mixer: Mixer
  /// Nil where the mixer is all that there is.
  package let feedForward: FeedForwardDescription?
  package let residualScale: Float
  /// Whether what a part adds to is its normalized input.
  package let addsToNormalized: Bool

  package struct Norms: Sendable, Equatable {
    package let preMixer: NormDescription?
    package let postMixer: NormDescription?
    package let afterMixer: NormDescription?
    package let preFeedForward: NormDescription?
    package let postFeedForward: NormDescription?
    package let afterFeedForward: NormDescription?
  }
}
