/// The part of a layer that sees each token by itself.
package enum FeedForwardDescription: Sendable, Equatable {
  case plain(PlainFeedForward)
  case gated(GatedFeedForward)
  case mixture(MixtureDescription)
}

/// `down(activation(up(x)))`.
package struct PlainFeedForward: Sendable, Equatable {
  package let up: LinearDescription
  package let down: LinearDescription
  package let activation: Activation
}

/// `down(activation(gate(x)) * up(x))`. Shazeer, arXiv 2002.05202, equation 6.
package struct GatedFeedForward: Sendable, Equatable {
  package enum Projection: Sendable, Equatable {
    case separate(gate: LinearDescription, up: LinearDescription)
    case fused(LinearDescription, FusedRows)
  }

  package let projection: Projection
  package let down: LinearDescription
  package let gating: Gating

  package enum Gating: Sendable, Equatable {
    case activated(Activation)
    /// gpt-oss: with `g = min(gate, limit)` and `u` within `±limit`, `(u + 1) g σ(alpha g)`.
    case clamped(limit: Float, alpha: Float)
  }
}

/// Experts, of which a router chooses a few for each token.
package struct MixtureDescription: Sendable, Equatable {
  package let router: LinearDescription
  package let routing: Routing
  package let chosenCount: Int
  package let experts: ExpertsDescription
  package let shared: SharedExpert?

  /// What weights the chosen experts have. z is what the router gives.
  package enum Routing: Sendable, Equatable {
    /// Softmax over all experts; those of the chosen divided by their sum, or as they are.
    case softmax(renormalizes: Bool)
    /// Softmax over the chosen.
    case softmaxOfChosen
    /// `s = σ(z)`. A bias is added for choosing alone: of the groups, those with the largest sums of two;
    /// in them, the largest. DeepSeek-V3, arXiv 2412.19437, section 2.1.2.
    case sigmoid(
      bias: String?, groups: Int, chosenGroups: Int, renormalizes: Bool, scale: Float)
  }

  /// An expert that every token visits.
  package struct SharedExpert: Sendable, Equatable {
    package let expert: GatedFeedForward
    /// To one number, whose sigmoid the output is multiplied with.
    package let gate: LinearDescription?
  }
}

/// Experts of one form. They are described one at a time: a configuration may claim any number.
package struct ExpertsDescription: Sendable, Equatable {
  package enum Storage: Sendable, Equatable {
    /// Each has three modules: `prefix` + number + `.` + name.
    case separate(prefix: String, gate: String, up: String, down: String)
    /// Tensors of all of them under `prefix`: gate and up `[E, hidden, 2 width]`, interleaved, and down
    /// `[E, width, hidden]`, with biases.
    case stacked(prefix: String, gateUp: String, down: String)
  }

  package let storage: Storage
  package let count: Int
  package let hiddenSize: Int
  package let width: Int
  package let gating: GatedFeedForward.Gating

  package func expert(_ index: Int) -> GatedFeedForward {
    switch storage {
    case .separate(let prefix, let gate, let up, let down):
      let module = "\(prefix)\(index)."
      return GatedFeedForward(
        projection: .separate(
          gate: LinearDescription(module: module + gate, inputs: hiddenSize, outputs: width),
          up: LinearDescription(module: module + up, inputs: hiddenSize, outputs: width)),
        down: LinearDescription(module: module + down, inputs: width, outputs: hiddenSize),
        gating: gating)
    case .stacked(let prefix, let gateUp, let down):
      func linear(_ name: String, _ inputs: Int, _ outputs: Int) -> LinearDescription {
        LinearDescription(
          module: "\(prefix)\(index).\(name)", weight: prefix + name,
          bias: prefix + name + "_bias", inputs: inputs, outputs: outputs, order: .inputMajor,
          place: .init(index: index, count: count))
      }
      // Sizes are limited: the rows are those of the pattern.
      let rows = FusedRows([.init(.gate, 1), .init(.up, 1)], repeats: width, rowCount: 2 * width)!
      return GatedFeedForward(
        projection: .fused(linear(gateUp, hiddenSize, 2 * width), rows),
        down: linear(down, width, hiddenSize), gating: gating)
    }
  }
}

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
