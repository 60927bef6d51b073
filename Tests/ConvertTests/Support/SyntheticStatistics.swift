import Model
import Stats

@testable import Convert

extension TensorStatistics {
  /// Figures of a tensor that was never measured: only what a choice of widths looks at.
  static func synthetic(
    _ name: String, _ kind: Kind, role: TensorRole? = nil, layer: Int? = 0,
    shape: [Int] = [10, 1, 64],
    trips: [RoundTrip] = [], channels: [Float]? = nil
  ) -> TensorStatistics {
    TensorStatistics(
      name: name, kind: kind, role: role, layer: layer, expert: nil, dtype: .f16, shape: shape,
      distribution: empty, channels: channels.flatMap { MagnitudeProfile($0, outlierRatio: 6) },
      outputChannels: nil, tokens: nil, headMagnitudes: nil, rotation: nil, roundTrips: trips,
      outliers: nil, everyChannel: channels.map { ChannelFigures(absMax: $0) },
      meanSquareSum: nil)
  }

  private static let empty = Distribution(ValueAccumulator(.leadingBits))
}

extension RoundTrip {
  /// With a relative squared error of `error` / 1024, which is exact.
  init(_ scheme: QuantizationScheme, _ bits: Int, error: Double) {
    self.init(
      scheme: scheme, bits: bits,
      error: QuantizationError(squaredNorm: 1024, squaredError: error))
  }
}
