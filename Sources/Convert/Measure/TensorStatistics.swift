import Formats
import Model
import Stats

/// Everything that was measured of one tensor.
package struct TensorStatistics: Sendable {
  package enum Kind: String, Sendable, CaseIterable {
    case weight
    /// Inputs of a linear layer, `[tokens, features]`.
    case activation
    /// Keys or values of the cache, `[tokens, kv_heads, head_dim]`.
    case key
    case value
    /// What multi-head latent attention caches in their place, `[tokens, width]`: the latent vector after its norm,
    /// and the rotary key of all heads.
    case latent
    case rotaryKey = "rope_key"

    /// The scheme by which tensors are compared.
    package var usualScheme: QuantizationScheme.Name {
      switch self {
      case .weight: .group
      case .activation: .perToken
      case .key, .value, .latent, .rotaryKey: .perTokenGroup
      }
    }
  }

  package let name: String
  package let kind: Kind
  /// Of the weight, or of the layer whose inputs these are; nil for the cache.
  package let role: TensorRole?
  package let layer: Int?
  package let expert: Int?
  package let dtype: DType
  package let shape: [Int]
  package let distribution: Distribution
  /// Weights: input channels. Activations: features. Cache: channels through all heads, head by
  /// head. Nil where there is one dimension only, or more channels than are kept apart, and of
  /// experts stored input-major that no group size fits.
  package let channels: MagnitudeProfile?
  /// Weights only: output channels, through all experts of a stack.
  package let outputChannels: MagnitudeProfile?
  /// Activations and cache only.
  package let tokens: MagnitudeProfile?
  /// Keys and values only: largest magnitude of each head.
  package let headMagnitudes: [Float]?
  /// Keys and rotary keys only, where the dump says.
  package let rotation: TensorDump.Rotation?
  package let roundTrips: [RoundTrip]
  /// Activations only.
  package let outliers: ActivationOutliers?
  /// Where asked for.
  package internal(set) var everyChannel: ChannelFigures?
  /// Activations only: `Σ_j E[x_j²]` over the channels, as llama.cpp's `imatrix --show-statistics` has it.
  package let meanSquareSum: Double?
  /// Of some tensors, where asked for.
  package internal(set) var map: MagnitudeMap?

  /// The same, but for the figures of every channel.
  package var withoutChannels: TensorStatistics {
    var other = self
    other.everyChannel = nil
    return other
  }

  /// What quantization in one way leaves of the signal: of that in the channels that are no outliers,
  /// where these are told apart.
  package func sqnr(_ scheme: QuantizationScheme.Name, bits: Int) -> Double? {
    roundTrips.sqnr(scheme, bits: bits)
  }
}
