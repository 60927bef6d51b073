import Model

/// Which tensors keep their maps: those of the first and of the last layer, and those whose channels stand out
/// furthest. The others lose theirs as soon as that is known, so that maps take no more memory with more layers.
package enum MapSelection {
  private static let inputLimit = 3
  private static let layerLimit = 2

  /// Adds a tensor; takes away the maps that it leaves behind.
  package static func append(_ tensor: TensorStatistics, to tensors: inout [TensorStatistics]) {
    tensors.append(tensor)
    guard tensor.map != nil else { return }
    if tensor.kind == .activation { thinInputs(&tensors) } else { thinCache(&tensors) }
  }

  /// The inputs that have a map.
  static func smoothed(in tensors: [TensorStatistics]) -> Set<SmoothedPlace> {
    Set(
      tensors.compactMap {
        $0.map == nil ? nil : SmoothedPlace(role: $0.role, layer: $0.layer)
      })
  }

  /// Channels above a median of 0 stand before all.
  private static func rank(_ tensor: TensorStatistics) -> Double {
    tensor.channels?.ratio ?? .infinity
  }

  private static func thinInputs(_ tensors: inout [TensorStatistics]) {
    var mapped: [Int] = []
    var seen = Set<SmoothedPlace>()
    for (index, tensor) in tensors.enumerated()
    where tensor.kind == .activation && tensor.map != nil {
      // Dumps may hold the same inputs under several names.
      guard let place = SmoothedPlace(role: tensor.role, layer: tensor.layer),
        seen.insert(place).inserted
      else {
        tensors[index].map = nil
        continue
      }
      mapped.append(index)
    }
    let layers = mapped.compactMap { tensors[$0].layer }
    let furthest = mapped.sorted { (rank(tensors[$1]), $0) < (rank(tensors[$0]), $1) }
      .prefix(inputLimit)
    for index in mapped
    where tensors[index].layer != layers.min() && tensors[index].layer != layers.max()
      && !furthest.contains(index)
    {
      tensors[index].map = nil
    }
  }

  private static func thinCache(_ tensors: inout [TensorStatistics]) {
    let cache = tensors.indices.filter { tensors[$0].layer != nil && tensors[$0].kind.isCache }
    var ranks: [Int: Double] = [:]
    for index in cache where tensors[index].kind == .key || tensors[index].kind == .latent {
      ranks[tensors[index].layer ?? 0] = rank(tensors[index])
    }
    let layers = cache.compactMap { tensors[$0].layer }
    let furthest = ranks.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(layerLimit)
    let kept = Set([layers.min(), layers.max()] + furthest.map(\.key))
    for index in cache where !kept.contains(tensors[index].layer) { tensors[index].map = nil }
  }
}

/// What the inputs of a norm's readers have in common: the layer, and the role of the readers together.
package struct SmoothedPlace: Hashable, Sendable {
  let role: TensorRole
  let layer: Int

  /// Nil for what is not smoothed.
  init?(role: TensorRole?, layer: Int?) {
    guard let role = role?.smoothedInput, let layer else { return nil }
    (self.role, self.layer) = (role, layer)
  }
}

extension TensorStatistics.Kind {
  package var isCache: Bool {
    switch self {
    case .weight, .activation: false
    case .key, .value, .latent, .rotaryKey: true
    }
  }
}
