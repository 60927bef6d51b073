import Formats

/// A tensor of a checkpoint that is made, with what its numbers are.
struct GeneratedTensor {
  enum Content {
    /// Factors about 1.
    case norm
    /// Weights with outputs as rows.
    case matrix
    /// Factors of the blocks of a matrix with so many inputs.
    case blockScales(inputs: Int)
  }

  let name: String
  let dtype: DType
  let shape: [Int]
  let content: Content

  /// Rows and columns of a block that shares a factor.
  static let block = 128

  var elementCount: Int { shape.reduce(1, *) }
  var byteCount: Int { elementCount * dtype.bitCount / 8 }

  var request: SafetensorsLayout.Request {
    .init(name: name, dtype: dtype, shape: shape.map(UInt64.init))
  }

  static func norm(_ name: String, _ count: Int, _ type: ScaleType) -> GeneratedTensor {
    .init(name: name + ".weight", dtype: type.dtype, shape: [count], content: .norm)
  }

  static func matrix(
    _ name: String, _ outputs: Int, _ inputs: Int, _ type: ScaleType
  ) -> GeneratedTensor {
    .init(name: name + ".weight", dtype: type.dtype, shape: [outputs, inputs], content: .matrix)
  }

  /// The weight of a linear layer, and its factors where it has some.
  static func linear(
    _ name: String, _ outputs: Int, _ inputs: Int, _ storage: CheckpointRequest.Storage
  ) -> [GeneratedTensor] {
    guard storage == .fp8 else { return [matrix(name, outputs, inputs, storage.plain)] }
    let weight = GeneratedTensor(
      name: name + ".weight", dtype: .f8E4M3, shape: [outputs, inputs], content: .matrix)
    let scales = GeneratedTensor(
      name: weight.name + "_scale_inv", dtype: .f32,
      shape: [(outputs + block - 1) / block, (inputs + block - 1) / block],
      content: .blockScales(inputs: inputs))
    return [weight, scales]
  }
}
