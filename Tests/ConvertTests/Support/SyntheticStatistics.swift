import Model
import Stats

@testable import Convert

extension TensorFigures {
  /// Of a tensor that was never measured.
  static func synthetic(
    _ name: String, _ kind: TensorStatistics.Kind, role: TensorRole? = nil, layer: Int? = 0,
    shape: [Int] = [10, 1, 64],
    trips: [RoundTrip] = [], channels: [Float]? = nil
  ) -> TensorFigures {
    TensorFigures(
      name: name, kind: kind, role: role, layer: layer, expert: nil, shape: shape,
      roundTrips: trips,
      channelRatio: channels.flatMap { MagnitudeProfile($0, outlierRatio: 6)?.ratio },
      absMax: channels, meanSquares: nil)
  }
}

extension RoundTrip {
  /// With a relative squared error of `error` / 1024, which is exact.
  init(_ scheme: QuantizationScheme, _ bits: Int, error: Double) {
    self.init(
      scheme: scheme, bits: bits,
      error: QuantizationError(squaredNorm: 1024, squaredError: error))
  }
}
