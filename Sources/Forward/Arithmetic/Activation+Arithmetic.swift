import Foundation
import Model

func sigmoid(_ x: Float) -> Float { 1 / (1 + exp(-x)) }

func silu(_ x: Float) -> Float { x * sigmoid(x) }

func softCapped(_ x: Float, _ cap: Float) -> Float { cap * tanh(x / cap) }

/// `ln(1 + e^x)`.
func softplus(_ x: Float) -> Float { max(x, 0) + log1p(exp(-abs(x))) }

extension Activation {
  func apply(to values: inout MutableSpan<Float>) {
    switch self {
    case .silu: Numbers.logisticUnits(&values, slope: 1)
    case .quickGelu: Numbers.logisticUnits(&values, slope: 1.702)
    // (1 + tanh y) / 2 = 1 / (1 + e^-2y).
    case .geluTanh: Numbers.logisticUnits(&values, slope: 2 * 0.797_884_6, cubic: 0.044_715)
    case .gelu:
      for index in values.indices {
        let x = values[index]
        values[index] = 0.5 * x * (1 + erf(x * 0.707_106_77))
      }
    case .relu: for index in values.indices { values[index] = max(values[index], 0) }
    case .reluSquared:
      for index in values.indices {
        let x = max(values[index], 0)
        values[index] = x * x
      }
    }
  }
}

extension GatedFeedForward.Gating {
  /// Replaces gates by what they let through of what goes up.
  ///
  /// - Parameter ups: as many.
  func apply(to gates: inout MutableSpan<Float>, _ ups: Span<Float>) {
    precondition(gates.count == ups.count)
    switch self {
    case .activated(let activation):
      activation.apply(to: &gates)
      for index in gates.indices { gates[index] *= ups[index] }
    case .clamped(let limit, let alpha):
      for index in gates.indices { gates[index] = min(gates[index], limit) }
      Numbers.logisticUnits(&gates, slope: alpha)
      for index in gates.indices {
        gates[index] *= min(max(ups[index], -limit), limit) + 1
      }
    }
  }
}
