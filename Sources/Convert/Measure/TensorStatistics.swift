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
  /// Cache only: largest magnitude of each head.
  package let headMagnitudes: [Float]?
  /// Keys only, where the dump says.
  package let rotation: TensorDump.Rotation?
  package let roundTrips: [RoundTrip]
  /// Activations only.
  package let outliers: ActivationOutliers?
  /// Where asked for.
  package let everyChannel: ChannelFigures?

  /// What quantization in one way leaves of the signal: of that in the channels that are no outliers,
  /// where these are told apart.
  package func sqnr(_ scheme: QuantizationScheme.Name, bits: Int) -> Double? {
    roundTrips.first { $0.scheme.name == scheme && $0.bits == bits }?.restError.sqnrDecibels
  }
}

/// What is quantized together.
package enum QuantizationScheme: Sendable, Hashable {
  /// Consecutive weights along the inputs; asymmetric.
  case group(size: Int)
  /// All values, or all values of a token, around zero: `step = AbsMax / (2^(b-1) - 1)`.
  case perTensor
  case perToken
  /// Consecutive channels of one head and token; asymmetric (Qllm-Eval).
  case perTokenGroup(size: Int)
  /// Consecutive tokens of one channel; asymmetric (KIVI, arXiv 2402.02750).
  case perChannelGroup(tokens: Int)

  package enum Name: String, Sendable {
    case group
    case perTensor = "per_tensor"
    case perToken = "per_token"
    case perTokenGroup = "per_token_group"
    case perChannelGroup = "per_channel_group"
  }

  package var name: Name {
    switch self {
    case .group: .group
    case .perTensor: .perTensor
    case .perToken: .perToken
    case .perTokenGroup: .perTokenGroup
    case .perChannelGroup: .perChannelGroup
    }
  }

  /// Values that share a scale; nil where that is not a fixed number.
  package var groupSize: Int? {
    switch self {
    case .group(let size), .perTokenGroup(let size), .perChannelGroup(let size): size
    case .perTensor, .perToken: nil
    }
  }
}

/// What quantizing in a certain way and decoding again loses.
package struct RoundTrip: Sendable {
  package let scheme: QuantizationScheme
  package let bits: Int
  package var error = QuantizationError()
  /// Of the channels that are no outliers; nil where they were not told apart. A massive channel
  /// takes nearly all of the energy and of the scale: the SQNR of all channels then rises, while the
  /// others are rounded away.
  package var rest: QuantizationError?
  /// SQNR of these channels at the median token, in dB; infinite where it loses nothing. Tokens
  /// whose other channels are all 0 do not count. Nil without any, and for several tensors.
  package var medianTokenSQNR: Double?

  /// Of what tells how much is lost.
  package var restError: QuantizationError { rest ?? error }

  /// Adds what other values lost in the same way.
  package mutating func merge(_ other: RoundTrip) {
    if rest != nil || other.rest != nil {
      var both = restError
      both.merge(other.restError)
      rest = both
    }
    error.merge(other.error)
    medianTokenSQNR = nil
  }
}

/// Outliers among the inputs of a linear layer.
package struct ActivationOutliers: Sendable {
  /// A channel with magnitudes of at least 6, and at how many tokens.
  package struct Feature: Sendable {
    package let channel: Int
    package let tokenCount: Int
  }

  /// LLM.int8() (arXiv 2208.07339, section 4.1), by channel.
  package let features: [Feature]
  package let tokenCount: Int
  /// Massive activations (arXiv 2402.17762, section 2.2): beyond 100, and at least 1000 times the
  /// median magnitude. All of them are counted, the largest are listed.
  package let massiveCount: Int
  package let massive: [LargestValues.Entry]
}

/// Figures of every channel.
package struct ChannelFigures: Sendable {
  package let absMax: [Float]
  /// Activations only.
  package var meanMagnitude: [Double]?
  package var meanSquare: [Double]?
  /// Weights only: of the output channels.
  package var outputAbsMax: [Float]?
}
