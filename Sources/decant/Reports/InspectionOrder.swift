import Convert
import Model

/// An order in which tensors are listed.
enum InspectionOrder: String, CaseIterable {
  case name
  /// The largest first.
  case size
  /// Bits per weight, scales and biases counted, the most first.
  case bits
  /// In the order of `TensorRole`.
  case role

  /// The tensors in this order, or where there is none by layer: first those outside the layers. Equal ones
  /// stay in the order in which they are stored.
  static func sort(_ tensors: [Inspection.Tensor], by order: Self?) -> [Inspection.Tensor] {
    let places = Dictionary(
      uniqueKeysWithValues: TensorRole.allCases.enumerated().map { ($1, $0) })
    return tensors.enumerated().sorted { a, b in
      let (x, y) = (a.element, b.element)
      return switch order {
      case nil: (x.identity.layer ?? -1, a.offset) < (y.identity.layer ?? -1, b.offset)
      case .name: (x.name, a.offset) < (y.name, b.offset)
      case .size: (y.byteCount, a.offset) < (x.byteCount, b.offset)
      case .bits: (y.bitsPerWeight, a.offset) < (x.bitsPerWeight, b.offset)
      case .role:
        (places[x.identity.role] ?? 0, a.offset) < (places[y.identity.role] ?? 0, b.offset)
      }
    }.map(\.element)
  }
}
