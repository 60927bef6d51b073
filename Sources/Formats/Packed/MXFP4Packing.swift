/// Microscaling blocks of 4-bit floats, as gpt-oss publishes its experts: `X_blocks`, two codes in each
/// byte, the earlier in its low half, and `X_scales`, one exponent for each 32 weights.
///
/// Sources: OCP Microscaling Formats (MXFP4: E2M1 elements, E8M0 scales); huggingface/transformers,
/// `integrations/mxfp4.py`, `convert_moe_packed_tensors`.
package struct MXFP4Packing: PackedLayout, Hashable {
  package init() {}

  package static let blocksSuffix = "_blocks"
  package static let scalesSuffix = "_scales"

  package var groupSize: Int { 32 }
  /// Holds all products but those that `Float` does not hold either.
  package var decodedType: ScaleType { .bf16 }
  package var partCount: Int { 2 }

  package func parts(of weight: String, shape: [UInt64]) -> [SafetensorsLayout.Request] {
    let groups = shape.dropLast() + [(shape.last ?? 0) / UInt64(groupSize)]
    return [
      .init(name: weight + Self.blocksSuffix, dtype: .u8, shape: groups + [16]),
      .init(name: weight + Self.scalesSuffix, dtype: .u8, shape: Array(groups)),
    ]
  }

  package func bytesPerGroup(ofPart part: Int) -> Int { part == 0 ? 16 : 1 }

  package func decode(
    _ bytes: [UInt8], groupCount: Int, part: Int, into groups: inout PackedGroups
  ) {
    if part == 0 {
      for index in 0..<groupCount * 16 {
        groups.codes[2 * index] = bytes[index] & 0xF
        groups.codes[2 * index + 1] = bytes[index] >> 4
      }
    } else {
      let isDecoded = ElementDecoder.decode(
        bytes, count: groupCount, as: .f8E8M0, into: &groups.scales)
      precondition(isDecoded, "exponents are numbers")
    }
  }

  package func dequantize(_ groups: PackedGroups, groupCount: Int, into weights: inout [Float]) {
    guard let values = SmallFloat.table(.f4) else { return }
    for group in 0..<groupCount {
      for index in group * groupSize..<(group + 1) * groupSize {
        weights[index] = values[Int(groups.codes[index])] * groups.scales[group]
      }
    }
  }
}
