import Formats

/// A model family in miniature: two blocks, real names, dtypes and proportions, with what a
/// conversion has to make of every tensor written down by hand.
///
/// The inputs of all linear layers are multiples of 32, so that the same description can also be
/// written as a file and converted.
package struct SyntheticFamily: Sendable, CustomStringConvertible {
  package let name: String
  package let config: JSONValue
  package let tensors: [SyntheticTensor]

  package var description: String { name }

  /// - Parameter dtype: stands wherever a tensor names no element type of its own.
  init(_ name: String, dtype: DType, config: JSONValue, tensors: [SyntheticTensor]) {
    self.name = name
    self.config = config
    self.tensors = tensors.map { tensor in
      var tensor = tensor
      tensor.dtype = tensor.ownDType ?? dtype
      return tensor
    }
  }
}

package struct SyntheticTensor: Sendable {
  package enum Outcome: Sendable {
    case packed
    case kept
    case dropped
  }

  package internal(set) var name: String
  var ownDType: DType?
  package internal(set) var dtype = DType.f32
  package let shape: [Int]
  package let role: String
  package let outcome: Outcome
  package internal(set) var layer: Int?
  package internal(set) var expert: Int?
  package internal(set) var order = MatrixOrder.outputMajor
  /// The description of the expected cut.
  package internal(set) var cut: String?

  static func packed(
    _ name: String, _ role: String, _ shape: [Int], dtype: DType? = nil, transposed: Bool = false,
    cut: String? = nil
  ) -> Self {
    Self(
      name: name, ownDType: dtype, shape: shape, role: role, outcome: .packed,
      order: transposed ? .inputMajor : .outputMajor, cut: cut)
  }

  static func kept(
    _ name: String, _ role: String, _ shape: [Int], dtype: DType? = nil, cut: String? = nil
  ) -> Self {
    Self(name: name, ownDType: dtype, shape: shape, role: role, outcome: .kept, cut: cut)
  }

  static func dropped(_ name: String, _ role: String, _ shape: [Int], dtype: DType? = nil) -> Self {
    Self(name: name, ownDType: dtype, shape: shape, role: role, outcome: .dropped)
  }

  /// A norm with a weight, and with a bias where it is a LayerNorm.
  static func norm(_ name: String, _ width: Int, bias: Bool = false) -> [Self] {
    let weight = kept("\(name).weight", "norm", [width])
    return bias ? [weight, kept("\(name).bias", "bias", [width])] : [weight]
  }
}

extension [SyntheticTensor] {
  /// Two blocks of `tensors`, under `list.0` and `list.1`.
  static func blocks(_ list: String, from first: Int = 0, _ tensors: [SyntheticTensor]) -> Self {
    [first, first + 1].flatMap { block(list, $0, tensors) }
  }

  static func block(_ list: String, _ index: Int, _ tensors: [SyntheticTensor]) -> Self {
    tensors.map { tensor in
      var tensor = tensor
      tensor.name = "\(list).\(index).\(tensor.name)"
      tensor.layer = index
      return tensor
    }
  }

  /// Two experts of `tensors`, under `list.0` and `list.1`.
  static func experts(_ list: String, _ tensors: [SyntheticTensor]) -> Self {
    [0, 1].flatMap { index in
      tensors.map { tensor in
        var tensor = tensor
        tensor.name = "\(list).\(index).\(tensor.name)"
        tensor.expert = index
        return tensor
      }
    }
  }

  /// Every linear layer among `tensors` followed by its bias.
  static func withBiases(_ tensors: [SyntheticTensor]) -> Self {
    tensors.flatMap { tensor -> [SyntheticTensor] in
      guard tensor.outcome == .packed, tensor.name.hasSuffix(".weight") else { return [tensor] }
      let outputs = tensor.order == .inputMajor ? tensor.shape[1] : tensor.shape[0]
      return [tensor, .kept("\(tensor.name.dropLast("weight".count))bias", "bias", [outputs])]
    }
  }
}

extension SyntheticFamily {
  package static let all = plain + fused + mixtures + stacks + unlike
}
