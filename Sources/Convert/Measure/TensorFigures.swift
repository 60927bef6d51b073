import Model

/// What widths are chosen by, of a tensor that was measured.
package struct TensorFigures: Sendable {
  package let name: String
  package let kind: TensorStatistics.Kind
  /// Of the weight, or of the layer whose inputs these are; nil for the cache.
  package let role: TensorRole?
  package let layer: Int?
  package let expert: Int?
  package let shape: [Int]
  package let roundTrips: [RoundTrip]
  /// AbsMax of the largest channel over that of the median one; nil where that is 0, or channels were not
  /// kept apart.
  package let channelRatio: Double?
  /// By input channel, where every one was kept.
  package let absMax: [Float]?
  /// E[x²] by channel, of activations.
  package let meanSquares: [Float]?

  package init(
    name: String, kind: TensorStatistics.Kind, role: TensorRole?, layer: Int?, expert: Int?,
    shape: [Int], roundTrips: [RoundTrip], channelRatio: Double?, absMax: [Float]?,
    meanSquares: [Float]?
  ) {
    self.name = name
    self.kind = kind
    self.role = role
    self.layer = layer
    self.expert = expert
    self.shape = shape
    self.roundTrips = roundTrips
    self.channelRatio = channelRatio
    self.absMax = absMax
    self.meanSquares = meanSquares
  }
}

extension TensorStatistics {
  package var figures: TensorFigures {
    TensorFigures(
      name: name, kind: kind, role: role, layer: layer, expert: expert, shape: shape,
      roundTrips: roundTrips, channelRatio: channels?.ratio, absMax: everyChannel?.absMax,
      meanSquares: everyChannel?.meanSquare?.map { Float($0) })
  }
}
