import Stats

/// What quantizing in a certain way and decoding again loses.
package struct RoundTrip: Sendable {
  package let scheme: QuantizationScheme
  package let bits: Int
  /// Where a sample was measured: the energy of all values, and as much of it lost as of the sample's;
  /// `largestError` is that of the sample.
  package var error = QuantizationError()
  /// One standard deviation of the squared error, as a share of it; nil where every value was measured.
  package var samplingError: Double?
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
    if samplingError != nil || other.samplingError != nil {
      let own = (samplingError ?? 0) * error.squaredError
      let others = (other.samplingError ?? 0) * other.error.squaredError
      let sum = error.squaredError + other.error.squaredError
      samplingError = sum > 0 ? (own * own + others * others).squareRoot() / sum : 0
    }
    error.merge(other.error)
    medianTokenSQNR = nil
  }
}

extension [RoundTrip] {
  /// What quantization in one way leaves of the signal, in dB: of that in the channels that are no outliers,
  /// where these are told apart.
  package func sqnr(_ scheme: QuantizationScheme.Name, bits: Int) -> Double? {
    first { $0.scheme.name == scheme && $0.bits == bits }?.restError.sqnrDecibels
  }
}
