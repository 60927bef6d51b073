import Formats

extension DecoderBuilder {
  /// Whether queries and keys of a layer are rotated.
  mutating func isRotated(
    _ layer: Int, _ layerCount: Int
  ) throws(ArchitectureError) -> Bool {
    guard case .rotary = family.positions else { return false }
    guard let list = family.rotary.layerList else { return true }
    let interval = try config.size(list.interval.keys, absent: list.interval.absent)
    guard let listed = try config.listIfPresent(list.key, count: layerCount) else {
      return (layer + 1) % interval != 0
    }
    guard let flag = listed[layer].intValue, flag == 0 || flag == 1 else {
      throw config.error(list.key, listed[layer], expected: "0 or 1 for each layer")
    }
    return flag == 1
  }

  private mutating func windowSize() throws(ArchitectureError) -> Int? {
    guard case .absent = config.find(["sliding_window"]) else {
      return try config.sizeIfPresent(["sliding_window"], limit: 1 << 30, allowsZero: true)
    }
    return family.absentWindow
  }

  /// Whether the family's rule gives a layer a window.
  private mutating func hasWindow(
    _ layer: Int, isRotated: Bool
  ) throws(ArchitectureError) -> Bool {
    let last = try lastWindowlessLayer()
    switch family.window {
    case .none: return false
    case .everyLayer, .everyLayerIfEnabled: return true
    case .evenLayers: return layer % 2 == 0
    case .allButEach(let fact):
      return (layer + 1) % (try config.size(fact.keys, absent: fact.absent)) != 0
    case .lateLayersIfEnabled: return layer >= last
    case .evenEarlyLayersIfEnabled: return layer % 2 == 0 && layer < last
    case .unrotatedLayersIfEnabled: return !isRotated
    }
  }

  private mutating func lastWindowlessLayer() throws(ArchitectureError) -> Int {
    switch family.window {
    case .lateLayersIfEnabled, .evenEarlyLayersIfEnabled:
      try config.size(["max_window_layers"], absent: 28, allowsZero: true)
    default: 0
    }
  }

  /// Positions that a query of a layer sees; nil for all.
  mutating func window(
    layer: Int, of layerCount: Int, isRotated: Bool
  ) throws(ArchitectureError) -> Int? {
    let byRule = try hasWindow(layer, isRotated: isRotated)
    var size: Int?
    if case .none = family.window { size = nil } else { size = try windowSize() }
    switch family.window {
    case .lateLayersIfEnabled, .evenEarlyLayersIfEnabled, .everyLayerIfEnabled,
      .unrotatedLayersIfEnabled:
      if try !config.flag("use_sliding_window", absent: false) { size = nil }
    case .none, .everyLayer, .evenLayers, .allButEach: break
    }
    let listed = try listedWindow(layer, layerCount)
    guard let size, size > 0 else {
      // A list may name windows that nothing gives a size, and must not otherwise.
      guard listed != true || family.followsLayerTypes else {
        throw .badValue(
          key: "layer_types", value: "sliding_attention", expected: "full_attention")
      }
      return nil
    }
    if let listed, !family.followsLayerTypes, listed != byRule {
      throw .badValue(
        key: "layer_types", value: listed ? "sliding_attention" : "full_attention",
        expected: byRule ? "sliding_attention" : "full_attention")
    }
    return family.followsLayerTypes && listed != nil ? (listed! ? size : nil) : byRule ? size : nil
  }

  /// Whether `layer_types` gives a layer a window; nil where there is no list.
  private mutating func listedWindow(
    _ layer: Int, _ layerCount: Int
  ) throws(ArchitectureError) -> Bool? {
    guard let list = try config.listIfPresent("layer_types", count: layerCount) else { return nil }
    switch list[layer].stringValue {
    case "sliding_attention": return true
    case "full_attention": return false
    default:
      throw config.error(
        "layer_types", list[layer], expected: "full_attention or sliding_attention for each layer")
    }
  }
}
