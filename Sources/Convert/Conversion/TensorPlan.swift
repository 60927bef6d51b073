import Formats
import Model

/// What becomes of one tensor of the source, and why.
package struct TensorPlan: Sendable {
  package enum Action: Sendable, Equatable {
    case quantize(AffineLayout, ScaleType)
    /// To blocks of a GGUF file, with the type that was wanted where rows are no whole blocks of it.
    case blocks(BlockLayout, wanted: GGMLType)
    /// Byte for byte.
    case copy
    /// An FP8 weight that is kept: decoded with its scale, stored in this type.
    case decode(ScaleType)
    /// Left out of the output.
    case drop

    package var isQuantized: Bool {
      switch self {
      case .quantize, .blocks: true
      case .copy, .decode, .drop: false
      }
    }
  }

  /// Which share of the coverage the tensor counts to.
  package enum Standing: String, Sendable {
    case quantized
    case keptOnPurpose = "kept"
    case keptUnfit = "unfit"
    case dropped
  }

  package let tensor: SourceTensor
  package let identity: TensorIdentity
  package var action: Action
  package let standing: Standing
  /// One line for people.
  package var reason: String
  /// Of the 8-bit float weights that it is made of, in order.
  let scales: [WeightScale?]
  /// What adapters do to it.
  var update: TensorUpdate?
  /// Type of the biases, where it is not that of the scales.
  var biasType: ScaleType?
  /// The second moments of its inputs that it is quantized for.
  package var grams: TensorGrams?

  package var name: String { tensor.name }

  /// How it is quantized where `method` was asked for.
  package func method(askedFor method: QuantizationMethod) -> QuantizationMethod {
    method.needsGrams && grams == nil ? .search : method
  }

  /// Of a tensor that is quantized for the second moments of its inputs: its matrices of which those are not
  /// known.
  package var searchedMatrixCount: Int { grams?.missingCount ?? 0 }

  /// Whether it counts as a weight in the coverage: more than one dimension, real numbers.
  package var isWeight: Bool {
    tensor.shape.count > 1 && tensor.dtype.isFloat && standing != .dropped
  }

  /// Inputs of the matrix: the dimension that groups run along.
  package var inputCount: Int { Self.inputCount(tensor.dimensions, identity) }

  static func inputCount(_ shape: [Int], _ identity: TensorIdentity) -> Int {
    shape.count < 2 ? 0 : identity.order.outputMajor(shape).last ?? 0
  }

  /// Whether there is a layout that the matrix can be packed in.
  var fitsALayout: Bool { Self.fitsALayout(tensor.dimensions, identity) }

  static func fitsALayout(_ shape: [Int], _ identity: TensorIdentity) -> Bool {
    let inputs = inputCount(shape, identity)
    if identity.order == .inputMajor, inputs > InputMajorStorage.widestInput { return false }
    return AffineLayout.allowedGroupSizes.contains { inputs % $0 == 0 }
  }

  /// The weight's shape as the packed layout has it: `[..., out, in]`.
  package var outputMajorShape: [UInt64] {
    identity.order.outputMajor(tensor.shape)
  }

  /// How the source stores the matrix that it is all of.
  var sourceOrder: MatrixOrder {
    tensor.pieces.isEmpty ? identity.order : tensor.origin?.order ?? identity.order
  }

  /// Whether its elements are looked at one by one, and not copied as bytes.
  var isDecoded: Bool {
    switch action {
    case .quantize, .blocks, .decode: true
    case .copy, .drop: false
    }
  }

  /// The tensors that the output holds for it.
  package var stored: [SafetensorsLayout.Request] {
    switch action {
    case .drop: return []
    case .copy: return [.init(name: name, dtype: tensor.dtype, shape: tensor.shape)]
    case .decode(let type):
      return [.init(name: name, dtype: type.dtype, shape: tensor.shape)]
    case .quantize(let layout, let scaleType):
      return AffinePacking(layout, scaleType: scaleType, biasType: biasType)
        .parts(of: name, shape: outputMajorShape)
    case .blocks(let layout, _): return layout.parts(of: name, shape: outputMajorShape)
    }
  }

  /// How a GGUF file has it; nil for what it has not.
  package var ggmlType: GGMLType? {
    switch action {
    case .blocks(let layout, _): layout.type
    case .decode(let type): GGMLType(type.dtype)
    case .copy: GGMLType(tensor.dtype)
    case .quantize, .drop: nil
    }
  }

  package var storedByteCount: Int {
    stored.reduce(0) { total, request in
      guard case .bytes(let size) = TensorSize(shape: request.shape, dtype: request.dtype) else {
        return total
      }
      return total + Int(size)
    }
  }

  /// The entry that the manifest will hold, with nothing measured yet.
  package func manifestEntry(method: QuantizationMethod) -> Manifest.Entry {
    let stored = stored.map { Manifest.StoredTensor(name: $0.name, digest: .blank) }
    let (layout, method): (Manifest.Layout, String?) =
      switch action {
      case .quantize(let affine, _):
        (.affine(affine), self.method(askedFor: method).recordedName)
      case .blocks(let blocks, _): (.blocks(blocks.type), BlockQuantizer.recordedName)
      case .copy, .decode, .drop: (.plain, nil)
      }
    return Manifest.Entry(
      name: name, layout: layout, method: method,
      sourceDType: tensor.dtype, sourceShape: tensor.shape,
      order: layout == .plain ? .outputMajor : identity.order, origin: tensor.origin,
      stored: stored,
      error: action.isQuantized ? .init(squaredNorm: 0, squaredError: 0, largestError: 0) : nil,
      zeroedCount: isDecoded ? 0 : nil)
  }
}
