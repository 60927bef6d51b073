/// A tensor's name, cut once into what the naming rules ask about.
///
/// `model.layers.3.mlp.experts.7.up_proj.weight` has the module path
/// `model layers 3 mlp experts 7 up_proj`, layer 3 and expert 7, and is a weight.
package struct TensorName {
  /// What the name's last component says of the tensor's part in its module.
  enum Leaf {
    /// `.weight`, or one of the names that packed weights have in its stead.
    case weight
    case bias
    case quantizationParameter
    /// None of these: the last component is a parameter's own name, and stays in the path.
    case parameter
  }

  /// Components of the name, without the leaf unless that is `.parameter`.
  package let path: [Substring]
  let leaf: Leaf
  let layer: Int?
  let expert: Int?

  package init(_ name: String) {
    // By bytes: a checkpoint may have a hundred thousand names.
    var components = name.utf8.split(separator: UInt8(ascii: ".")).map { Substring($0) }
    leaf = components.last.map(Leaf.init) ?? .parameter
    if leaf != .parameter { components.removeLast() }
    if leaf == .parameter, let last = components.last, last.hasSuffix("_blocks") {
      // gpt-oss stores `down_proj` as 4-bit `down_proj_blocks` beside `down_proj_scales`.
      components[components.count - 1] = last.dropLast("_blocks".count)
    }
    path = components
    layer = Self.index(after: Self.blockLists, in: components)
    expert = Self.index(after: ["experts"], in: components)
  }

  /// The last component of the path that is no index: the module's or parameter's own name.
  var module: Substring { path.last { Self.index($0) == nil } ?? "" }

  /// What the families call their lists of blocks.
  private static let blockLists: [Substring] = ["layers", "h", "layer", "blocks", "block"]

  private static func index(after names: [Substring], in components: [Substring]) -> Int? {
    for (name, next) in zip(components, components.dropFirst()) where names.contains(name) {
      if let index = index(next) { return index }
    }
    return nil
  }

  /// The component as an index: decimal digits only, and small enough to count on with.
  static func index(_ component: Substring) -> Int? {
    guard component.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
      let index = Int(component), index < 1 << 31
    else { return nil }
    return index
  }
}

extension TensorName.Leaf {
  init(_ component: Substring) {
    self =
      switch component {
      case "weight", "gamma", "weight_packed", "qweight": .weight
      case "bias", "beta": .bias
      case "scales", "biases", "qzeros", "g_idx", "weight_scale", "weight_scale_inv",
        "weight_global_scale", "weight_zero_point", "weight_g_idx", "weight_shape", "input_scale",
        "input_zero_point", "input_global_scale", "k_scale", "v_scale":
        .quantizationParameter
      default:
        if component.hasSuffix("_proj_bias") {
          .bias
        } else if component.hasSuffix("_proj_scales") || component.hasSuffix("_scale_inv") {
          .quantizationParameter
        } else {
          .parameter
        }
      }
  }
}
