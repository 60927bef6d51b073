/// MLX's affine layout with the types that scales and biases are stored in: packed words, scales and
/// biases, as `P.weight`, `P.scales` and `P.biases` of a module P.
package struct AffinePacking: WritableLayout, Hashable {
  package let layout: AffineLayout
  package let scaleType: ScaleType
  package let biasType: ScaleType

  package init(_ layout: AffineLayout, scaleType: ScaleType, biasType: ScaleType? = nil) {
    self.layout = layout
    self.scaleType = scaleType
    self.biasType = biasType ?? scaleType
  }

  package static let partCount = 3
  package var partCount: Int { Self.partCount }
  package var groupSize: Int { layout.groupSize }
  package var decodedType: ScaleType { scaleType.promoted(with: biasType) }

  package func parts(of weight: String, shape: [UInt64]) -> [SafetensorsLayout.Request] {
    let names = Manifest.Entry.packedNames(of: weight)
    let shapes = layout.partShapes(shape)
    return [
      .init(name: names.weight, dtype: .u32, shape: shapes.words),
      .init(name: names.scales, dtype: scaleType.dtype, shape: shapes.parameters),
      .init(name: names.biases, dtype: biasType.dtype, shape: shapes.parameters),
    ]
  }

  package func bytesPerGroup(ofPart part: Int) -> Int {
    [layout.bytesPerGroup, scaleType.byteCount, biasType.byteCount][part]
  }

  package func encode(
    _ groups: PackedGroups, groupCount: Int, part: Int, into bytes: inout [UInt8]
  ) {
    switch part {
    case 0: layout.pack(groups.codes, count: groupCount * groupSize, into: &bytes)
    case 1: ElementEncoder.encode(groups.scales, count: groupCount, as: scaleType, into: &bytes)
    default: ElementEncoder.encode(groups.biases, count: groupCount, as: biasType, into: &bytes)
    }
  }

  package func decode(
    _ bytes: [UInt8], groupCount: Int, part: Int, into groups: inout PackedGroups
  ) {
    let isDecoded =
      switch part {
      case 0: true
      case 1:
        ElementDecoder.decode(
          bytes, count: groupCount, as: scaleType.dtype, into: &groups.scales)
      default:
        ElementDecoder.decode(
          bytes, count: groupCount, as: biasType.dtype, into: &groups.biases)
      }
    precondition(isDecoded, "scales and biases have a floating-point type")
    if part == 0 { layout.unpack(bytes, count: groupCount * groupSize, into: &groups.codes) }
  }

  package func dequantize(_ groups: PackedGroups, groupCount: Int, into weights: inout [Float]) {
    layout.dequantize(
      codes: groups.codes, scales: groups.scales, biases: groups.biases, groupCount: groupCount,
      in: decodedType, into: &weights)
  }
}

extension AffineLayout {
  /// Shapes of the packed words, and of scales and biases, for an output-major shape whose inputs are
  /// whole groups.
  package func partShapes(_ shape: [UInt64]) -> (words: [UInt64], parameters: [UInt64]) {
    let inputs = shape.last ?? 0
    let outer = Array(shape.dropLast())
    // A group is whole words: dividing first cannot overflow.
    return (outer + [inputs / 32 * UInt64(bits)], outer + [inputs / UInt64(groupSize)])
  }
}
