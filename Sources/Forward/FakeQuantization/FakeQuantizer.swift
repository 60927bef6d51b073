import Convert
import Model

/// Quantizes and decodes activations, keys and values as they are computed.
///
/// - activations: the inputs of given linear layers, around zero, one scale for each token.
/// - keys and values: as they are cached, each token and head by itself, in groups of 128 features or, where that
///   does not divide the head, all of it; between minimum and maximum. Of latent attention the latent vector,
///   normalized as it is cached here (Qllm-Eval: before its norm), but not the rotated key.
///
/// Every key and value is quantized before it is used, that of the current token too.
/// Source: thu-nics/qllm-eval, `qllm_eval/quantization`.
final class FakeQuantizer: ForwardObserver {
  private let point: QuantizationPoint
  private let modules: Set<String>
  /// By layer.
  private let heads: [Int: AttentionHeads]

  /// - Parameter modules: the linear layers whose inputs are quantized, by the names the file has for them.
  init(_ point: QuantizationPoint, modules: Set<String>, of description: DecoderDescription) {
    self.point = point
    self.modules = modules
    heads = Dictionary(
      description.layers.compactMap { layer in layer.mixer.heads.map { (layer.index, $0) } },
      uniquingKeysWith: { first, _ in first })
  }

  func observe(_ values: inout MutableSpan<Float>, at place: ObservedPlace) {
    switch place.kind {
    case .input(let readers):
      guard let bits = point.activations, readers.contains(where: modules.contains) else { return }
      for start in stride(from: 0, to: values.count, by: place.features) {
        FakeQuantizationKernels.symmetric(&values, start..<start + place.features, bits: bits)
      }
    case .keys: quantize(&values, width: place.layer.flatMap { heads[$0]?.width })
    case .values: quantize(&values, width: place.layer.flatMap { heads[$0]?.valueWidth })
    case .latent: quantize(&values, width: place.features)
    case .rotaryKey: break
    }
  }

  /// Features that share a scale, of those that are cached for a token and head.
  static func cacheGroup(width: Int) -> Int { width % 128 == 0 ? 128 : width }

  /// - Parameter width: of what is cached for a token and head.
  private func quantize(_ values: inout MutableSpan<Float>, width: Int?) {
    guard let bits = point.cache, let width else { return }
    let size = Self.cacheGroup(width: width)
    for start in stride(from: 0, to: values.count, by: size) {
      FakeQuantizationKernels.asymmetric(&values, start..<start + size, bits: bits)
    }
  }
}

extension LayerDescription.Mixer {
  /// Nil where nothing is cached for each token.
  var heads: AttentionHeads? {
    switch self {
    case .attention(let attention): attention.heads
    case .latentAttention(let attention): attention.heads
    case .mamba, .mamba2: nil
    }
  }
}
