import Stats

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
