/// Weights in the blocks of a GGUF type: bytes that hold the codes of 32 to 256 weights and what they are
/// decoded with.
///
/// A block is cut into sub-blocks of `subBlockLength` weights, each with a scale and a bias of its own. A
/// weight is `(code - zero) * scale + bias`, or `codeValues[code] * scale` where a type has a table; scale and
/// bias are exact products of the block's F16 numbers with small integers. All types but the affine ones have
/// the bias -0, which changes no product.
///
/// A row of a tensor is whole blocks, and the tensor is its rows: so block b has weights
/// `b * groupSize ..< (b + 1) * groupSize` of the output-major tensor and bytes from `b * bytesPerGroup` on,
/// and any run of blocks is read or written alone.
///
/// Codes and parameters are apart: `decode` gives both, `packCodes` puts other codes into blocks and leaves
/// their parameters alone. So a quantizer that is given parameters, by `BlockQuantizer` or from a file,
/// chooses codes between `decode` and `packCodes`.
///
/// Sources: ggml, `ggml-common.h` and `ggml-quants.c` (`dequantize_row_*`); gguf-py, `quants.py`.
package struct BlockLayout: PackedLayout, Hashable {
  package let type: GGMLType

  /// Nil for types whose values stand alone, and for those whose codes are not decoded: the IQ types of
  /// codebooks, and the ternary ones.
  package init?(_ type: GGMLType) {
    guard type.codeFields != nil else { return nil }
    self.type = type
  }

  /// Weights of a block.
  package var groupSize: Int { type.blockLength }
  package var decodedType: ScaleType { .f32 }
  package var partCount: Int { 1 }

  /// Weights that share a scale.
  package var subBlockLength: Int {
    switch type {
    case .q2_K, .q3_K, .q6_K, .nvfp4: 16
    default: 32
    }
  }

  package var subBlocksPerBlock: Int { groupSize / subBlockLength }

  /// Number of codes.
  package var codeCount: Int {
    switch type {
    case .q2_K: 4
    case .q3_K: 8
    case .q5_0, .q5_1, .q5_K: 32
    case .q6_K: 64
    case .q8_0: 256
    default: 16
    }
  }

  /// The code of zero, where codes are steps of a scale on both sides of it; 0 where a bias does that.
  package var zero: Int { isAffine ? 0 : codeCount / 2 }

  /// Whether sub-blocks have a bias.
  package var isAffine: Bool {
    switch type {
    case .q4_1, .q5_1, .q2_K, .q4_K, .q5_K: true
    default: false
    }
  }

  /// The least code that is written: -128 is no code of Q8_0, as ggml writes it.
  var leastCode: Int { type == .q8_0 ? 1 : 0 }

  /// What sub-blocks multiply the block's scale with; of minima the same numbers, none of them negative.
  var scaleCodes: ClosedRange<Int> {
    switch type {
    case .q2_K: 0...15
    case .q3_K, .iq4_XS: -32...31
    case .q6_K: -128...127
    default: 0...63
    }
  }

  /// What codes stand for, in units of the scale; nil where they are `code - zero`.
  package var codeValues: [Float]? {
    switch type {
    case .iq4_NL, .iq4_XS: Self.nonlinearValues
    // The scale counts half, and there is no negative zero.
    case .mxfp4, .nvfp4: SmallFloat.table(.f4)?.map { 2 * $0 + 0 }
    default: nil
    }
  }

  /// Source: ggml, `kvalues_iq4nl`.
  private static let nonlinearValues: [Float] = [
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113,
  ]

  /// The tensor's bytes: no container but GGUF holds them, which knows the tensor by its type.
  package func parts(of weight: String, shape: [UInt64]) -> [SafetensorsLayout.Request] {
    let blocks = (shape.last ?? 0) / UInt64(groupSize)
    return [
      .init(
        name: weight, dtype: .u8, shape: shape.dropLast() + [blocks * UInt64(type.blockByteCount)])
    ]
  }

  package func bytesPerGroup(ofPart part: Int) -> Int { type.blockByteCount }

  /// Takes blocks apart.
  ///
  /// - Parameter groups: receives a code for each weight, and a scale and a bias for each *sub-block*; they
  ///   are made longer where they have no room.
  package func decode(
    _ bytes: [UInt8], groupCount: Int, part: Int, into groups: inout PackedGroups
  ) {
    groups.reserve(groupCount * subBlocksPerBlock, groupSize: subBlockLength)
    decodeParameters(bytes, blockCount: groupCount, into: &groups)
    BlockKernels.unpackCodes(bytes.span, blockCount: groupCount, type, into: &groups.codes)
  }

  /// Sets the codes of the first `blockCount` blocks, and leaves their scales alone.
  ///
  /// - Parameters:
  ///   - codes: one for each weight, below `codeCount`.
  ///   - bytes: whole blocks.
  package func packCodes(_ codes: [UInt8], blockCount: Int, into bytes: inout [UInt8]) {
    BlockKernels.packCodes(codes.span, blockCount: blockCount, type, into: &bytes)
  }

  package func dequantize(_ groups: PackedGroups, groupCount: Int, into weights: inout [Float]) {
    let count = groupCount * subBlocksPerBlock
    guard let values = codeValues else {
      var output = weights.mutableSpan
      return BlockKernels.dequantize(
        groups.codes.span, scales: groups.scales.span, biases: groups.biases.span, count: count,
        length: subBlockLength, zero: Float(zero), into: &output)
    }
    for block in 0..<count {
      let scale = groups.scales[block]
      for index in block * subBlockLength..<(block + 1) * subBlockLength {
        weights[index] = values[Int(groups.codes[index])] * scale
      }
    }
  }
}

extension GGMLType {
  /// The type of elements that stand alone; nil for blocks.
  package var dtype: DType? {
    switch self {
    case .f32: .f32
    case .f16: .f16
    case .bf16: .bf16
    case .f64: .f64
    case .i8: .i8
    case .i16: .i16
    case .i32: .i32
    case .i64: .i64
    default: nil
    }
  }

  /// Where blocks keep their codes; nil for types whose codes are not decoded.
  var codeFields: [BlockCodeField]? {
    switch self {
    case .q4_0, .iq4_NL: [.init(offset: 2, chunk: 16, bits: 4)]
    case .q4_1: [.init(offset: 4, chunk: 16, bits: 4)]
    case .q5_0:
      [.init(offset: 6, chunk: 16, bits: 4), .init(offset: 2, chunk: 1, bits: 1, shift: 4)]
    case .q5_1:
      [.init(offset: 8, chunk: 16, bits: 4), .init(offset: 4, chunk: 1, bits: 1, shift: 4)]
    case .q8_0: [.init(offset: 2, chunk: 32, bits: 8, flip: 0x80)]
    case .q2_K: [.init(offset: 16, chunk: 32, bits: 2)]
    case .q3_K:
      [.init(offset: 32, chunk: 32, bits: 2), .init(offset: 0, chunk: 32, bits: 1, shift: 2)]
    case .q4_K: [.init(offset: 16, chunk: 32, bits: 4)]
    case .q5_K:
      [.init(offset: 48, chunk: 32, bits: 4), .init(offset: 16, chunk: 32, bits: 1, shift: 4)]
    case .q6_K:
      [.init(offset: 0, chunk: 64, bits: 4), .init(offset: 128, chunk: 32, bits: 2, shift: 4)]
    case .iq4_XS: [.init(offset: 8, chunk: 16, bits: 4)]
    case .mxfp4: [.init(offset: 1, chunk: 16, bits: 4)]
    case .nvfp4: [.init(offset: 4, chunk: 8, bits: 4)]
    default: nil
    }
  }
}
