/// A function of one number, by the names that configurations have for it.
package enum Activation: Sendable, Equatable {
  /// `x σ(x)`.
  case silu
  /// `x Φ(x)`, with the error function.
  case gelu
  /// `x Φ(x)` as Hendrycks and Gimpel approximate it with tanh, arXiv 1606.08415, section 2.
  case geluTanh
  /// `x σ(1.702 x)`.
  case quickGelu
  case relu
  case reluSquared

  package init?(name: String) {
    switch name {
    case "silu", "swish": self = .silu
    case "gelu": self = .gelu
    case "gelu_new", "gelu_pytorch_tanh", "gelu_fast": self = .geluTanh
    case "quick_gelu": self = .quickGelu
    case "relu": self = .relu
    case "relu2": self = .reluSquared
    default: return nil
    }
  }
}
