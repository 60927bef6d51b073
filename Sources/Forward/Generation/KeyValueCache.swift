import Model

/// Keys and values of the tokens of one window that a model has been run over, so that the tokens that
/// follow need not run it over them again.
///
/// What it gives is what a run over the whole window gives, but for the order in which sums are rounded. All
/// positions are kept, also those that a window of attention has left behind.
package final class KeyValueCache {
  private struct Layer {
    /// `[tokens, features]`, keys after their rotation.
    let keys: Activations
    let values: Activations
  }

  private var layers: [Int: Layer] = [:]

  package init() {}

  /// Whether attention is all by which a model's tokens see each other: what a state space keeps of them is
  /// another thing.
  package static func fits(_ model: ForwardModel) -> Bool {
    model.description.layers.allSatisfy {
      switch $0.mixer {
      case .attention, .latentAttention: true
      case .mamba, .mamba2: false
      }
    }
  }

  /// Tokens that it has. The same in every layer between two runs.
  package var count: Int { layers.values.map(\.keys.tokens).min() ?? 0 }

  /// Whether what it has holds in a window that has grown to `length` tokens. Some models turn all keys by
  /// other angles once a window is long.
  package func isValid(of model: ForwardModel, windowLength length: Int) -> Bool {
    let count = count
    return model.description.layers.allSatisfy {
      let rotary: RotaryDescription? =
        switch $0.mixer {
        case .attention(let attention): attention.rotary
        case .latentAttention(let attention): attention.rotary
        case .mamba, .mamba2: nil
        }
      return rotary.map {
        $0.frequencies(windowLength: count) == $0.frequencies(windowLength: length)
      } ?? true
    }
  }

  /// Adds keys and values of the tokens that follow.
  ///
  /// - Returns: the inputs with all keys and values up to these.
  func extend(_ inputs: HeadAttention.Inputs, layer: Int) -> HeadAttention.Inputs {
    guard let earlier = layers[layer] else {
      layers[layer] = Layer(keys: inputs.keys, values: inputs.values)
      return inputs
    }
    earlier.keys.append(inputs.keys)
    earlier.values.append(inputs.values)
    var extended = inputs
    (extended.keys, extended.values) = (earlier.keys, earlier.values)
    return extended
  }
}
