import Stats

/// The inputs of layers that read the same norm, as they are and smoothed: divided by channel by
/// `s_j = max|X_j|^alpha / max|W_j|^(1 - alpha)` (SmoothQuant, arXiv 2211.10438, Eq. 4) with alpha 0.5.
package struct SmoothedInput: Sendable {
  /// Of the inputs, as dumps call them.
  package let name: String
  package let layer: Int
  package let tokenCount: Int
  package let channelCount: Int
  package let before: MagnitudeGrid
  package let after: MagnitudeGrid
  /// Largest channel over the median channel; nil where that vanishes.
  package let spread: Double?
  package let smoothedSpread: Double?
  /// The same of the weights.
  package let weightSpread: Double?
  package let smoothedWeightSpread: Double?

  package static let alpha = 0.5

  /// Of the inputs that have a map, and of which all channels of the weights are known; by layer.
  package static func all(in tensors: [TensorStatistics]) -> [SmoothedInput] {
    var weights: [SmoothedPlace: [Float]] = [:]
    for tensor in tensors where tensor.kind == .weight {
      guard let place = SmoothedPlace(role: tensor.role, layer: tensor.layer),
        let maxima = tensor.everyChannel?.absMax
      else { continue }
      let known = weights[place] ?? maxima
      guard known.count == maxima.count else { continue }
      weights[place] = zip(known, maxima).map { max($0, $1) }
    }
    return tensors.compactMap { tensor in
      guard tensor.kind == .activation, let map = tensor.map,
        let place = SmoothedPlace(role: tensor.role, layer: tensor.layer),
        let maxima = weights[place]
      else { return nil }
      return SmoothedInput(tensor.name, place.layer, map, maxima)
    }.sorted { ($0.layer, $0.name) < ($1.layer, $1.name) }
  }

  private init?(_ name: String, _ layer: Int, _ map: MagnitudeMap, _ weights: [Float]) {
    let inputs = map.channelMaxima
    guard inputs.count == weights.count else { return nil }
    // Channels where either is 0 stay as they are.
    let scales = zip(inputs, weights).map { input, weight in
      input > 0 && weight > 0
        ? Smoothing.scale(input: Double(input), weight: Double(weight), alpha: Self.alpha) : 1
    }
    self.name = name
    self.layer = layer
    tokenCount = map.tokenCount
    channelCount = map.channelCount
    before = map.grid()
    after = map.grid(dividedBy: scales)
    spread = Smoothing.spread(inputs.map(Double.init))
    smoothedSpread = Smoothing.spread(zip(inputs, scales).map { Double($0) / $1 })
    weightSpread = Smoothing.spread(weights.map(Double.init))
    smoothedWeightSpread = Smoothing.spread(zip(weights, scales).map { Double($0) * $1 })
  }
}
