import Foundation
import Model

func sigmoid(_ x: Float) -> Float { 1 / (1 + exp(-x)) }

extension Activation {
  func callAsFunction(_ x: Float) -> Float {
    switch self {
    case .silu: x * sigmoid(x)
    case .gelu: 0.5 * x * (1 + erf(x * 0.707_106_77))
    case .geluTanh: 0.5 * x * (1 + tanh(0.797_884_6 * (x + 0.044_715 * x * x * x)))
    case .quickGelu: x * sigmoid(1.702 * x)
    case .relu: max(x, 0)
    case .reluSquared: max(x, 0) * max(x, 0)
    }
  }

  func apply(to values: inout [Float]) {
    for index in values.indices { values[index] = self(values[index]) }
  }
}

extension GatedFeedForward.Gating {
  /// What gates let through of what goes up; both are replaced by it, in `gates`.
  func apply(to gates: inout [Float], _ ups: [Float]) {
    switch self {
    case .activated(let activation):
      for index in gates.indices { gates[index] = activation(gates[index]) * ups[index] }
    case .clamped(let limit, let alpha):
      for index in gates.indices {
        let gate = min(gates[index], limit)
        let up = min(max(ups[index], -limit), limit)
        gates[index] = (up + 1) * gate * sigmoid(alpha * gate)
      }
    }
  }
}

func softCapped(_ x: Float, _ cap: Float) -> Float { cap * tanh(x / cap) }

/// `ln(1 + e^x)`.
func softplus(_ x: Float) -> Float { max(x, 0) + log1p(exp(-abs(x))) }
