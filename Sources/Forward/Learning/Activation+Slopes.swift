import Foundation
import Model

extension Activation {
  /// Its derivative at each number.
  func slopes(at values: [Float]) -> [Float] {
    switch self {
    case .silu: return Self.logisticSlopes(values) { (1 * $0, 1) }
    case .quickGelu: return Self.logisticSlopes(values) { (1.702 * $0, 1.702) }
    case .geluTanh:
      let slope: Float = 2 * 0.797_884_6
      return Self.logisticSlopes(values) { x in
        (slope * (x + 0.044_715 * x * x * x), slope * (1 + 3 * 0.044_715 * x * x))
      }
    case .gelu:
      return values.map { x in
        0.5 * (1 + erf(x * 0.707_106_77)) + x * 0.398_942_28 * exp(-0.5 * x * x)
      }
    case .relu: return values.map { $0 > 0 ? 1 : 0 }
    case .reluSquared: return values.map { 2 * max($0, 0) }
    }
  }

  /// Of `x σ(u(x))`: σ + x σ (1 - σ) u'.
  ///
  /// - Parameter inner: u and u'.
  private static func logisticSlopes(
    _ values: [Float], _ inner: (Float) -> (Float, Float)
  ) -> [Float] {
    let pairs = values.map(inner)
    // e^-|u| is at most 1, and the same at every level of instructions.
    var decays = pairs.map { -abs($0.0) }
    var span = decays.mutableSpan
    _ = Numbers.exponentiate(&span, 0..<span.count, largest: 0)
    return values.indices.map { index in
      let (u, slope) = pairs[index]
      let most = 1 / (1 + decays[index])
      let sigma = u >= 0 ? most : 1 - most
      return sigma + values[index] * sigma * (1 - sigma) * slope
    }
  }
}
