import Model

// Groups of a quantized cache run along the channels of one token and head, as mlx-lm, llama.cpp
// and Qllm-Eval have it. A group larger than a head is the head.

extension CacheGeometry {
  /// Bytes that the cache grows by with the token after the first `context` ones, for one sequence:
  /// the sum over the layers of `n_kv * (d_k * b_k + ⌈d_k / g_k⌉ * m + d_v * b_v + ⌈d_v / g_v⌉ * m) / 8`,
  /// each head in whole bytes. Layers whose window is full do not grow.
  package func bytesPerToken(_ format: CacheFormat, after context: Int = 0) -> Int {
    growth(format).reduce(0) { $0 + ($1.window.map { $0 > context } ?? true ? $1.byteCount : 0) }
  }

  /// Bytes of the cache when each of `batch` sequences has `context` tokens; nil where the number
  /// does not fit.
  package func byteCount(context: Int, batch: Int = 1, _ format: CacheFormat) -> Int? {
    Self.byteCount(context: context, batch: batch, growth(format))
  }

  /// Layers with the same window, which grow alike.
  struct Growth: Sendable {
    let window: Int?
    /// For each token and sequence.
    var byteCount: Int
  }

  func growth(_ format: CacheFormat) -> [Growth] {
    var growth: [Growth] = []
    for (index, layer) in layers.enumerated() {
      let (byteCount, window) = layer.growth(
        keys: format.keys(ofLayer: index), values: format.values(ofLayer: index))
      guard byteCount > 0 else { continue }
      if let index = growth.firstIndex(where: { $0.window == window }) {
        growth[index].byteCount += byteCount
      } else {
        growth.append(Growth(window: window, byteCount: byteCount))
      }
    }
    return growth
  }

  static func byteCount(context: Int, batch: Int, _ growth: [Growth]) -> Int? {
    var total: Int? = 0
    for part in growth {
      let tokens = Checked.product(min(context, part.window ?? context), batch)
      total = Checked.sum(total, Checked.product(tokens, part.byteCount))
    }
    return context >= 0 && batch >= 0 ? total : nil
  }
}

extension CacheGeometry.Layer {
  fileprivate func growth(
    keys: ElementWidth, values: ElementWidth
  ) -> (byteCount: Int, window: Int?) {
    // At most 2^16 heads of twice 2^16 elements: nothing here overflows.
    func bytes(_ width: Int, _ element: ElementWidth) -> Int { element.byteCount(of: width) ?? 0 }
    switch self {
    case .heads(let count, let keyWidth, let valueWidth, let window):
      let head = bytes(keyWidth, keys) + bytes(valueWidth, values)
      return (count * head, window)
    case .latent(let width, let rotaryWidth):
      return (bytes(width, keys) + bytes(rotaryWidth, .f16), nil)
    case .constantState, .none: return (0, nil)
    }
  }
}
