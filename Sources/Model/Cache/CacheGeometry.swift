/// What a model's key/value cache holds, layer by layer.
package struct CacheGeometry: Sendable, Equatable {
  package enum Layer: Sendable, Hashable {
    /// For each of the last `window` tokens, or of all where that is nil: `count` keys of
    /// `keyWidth` elements and as many values of `valueWidth`.
    case heads(count: Int, keyWidth: Int, valueWidth: Int, window: Int?)
    /// For each token one latent of `width` elements, which is stored as keys are, and one rotary
    /// key of `rotaryWidth` elements, which stays in 16 bits. Source: DeepSeek-V2, arXiv 2405.04434,
    /// section 2.1; what is quantized of it: thu-nics/qllm-eval, `qllm_eval/quantization/qattn`.
    case latent(width: Int, rotaryWidth: Int)
    /// A state that does not grow with the context; it is not counted.
    case constantState
    case none
  }

  /// Where the configuration and the tensors, or the configuration and what is known here, differ.
  package struct Disagreement: Sendable, Equatable {
    package let configured: String
    package let found: String
    /// From 0, ascending.
    package internal(set) var layers: [Int]
  }

  package let layers: [Layer]
  package let disagreements: [Disagreement]

  /// For layers whose numbers have been checked.
  init(checked layers: [Layer], disagreements: [Disagreement]) {
    self.layers = layers
    self.disagreements = disagreements
  }

  /// Largest number of layers, of heads and of elements of a head that is believed. With it, the
  /// bytes of a token fit an `Int`.
  package static let largestCount = 1 << 16
}

extension CacheGeometry.Disagreement: CustomStringConvertible {
  /// `config.json says 71 key/value heads of 64, the tensors show 1 of 64 (layers 0, 1, 2, …)`.
  package var description: String {
    let shown = layers.prefix(3).map(String.init).joined(separator: ", ")
    let more = layers.count > 3 ? " and \(layers.count - 3) more" : ""
    let noun = layers.count == 1 ? "layer" : "layers"
    return "config.json says \(configured), the tensors show \(found) (\(noun) \(shown)\(more))"
  }
}
