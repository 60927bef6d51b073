import Formats
import Model

/// How many bits an element takes where groups of elements share metadata, such as a scale and an
/// offset: `b + m / g`, with `b` bits an element and `m` bits of metadata for each `g` elements.
package struct ElementWidth: Sendable, Hashable {
  package let bits: Int
  /// Elements that share metadata; nil where there is none.
  package let groupSize: Int?
  /// Metadata of a group, in bits: 32 for a scale and an offset of 16 bits each.
  package let metadataBits: Int

  /// 16-bit floating point.
  package static let f16 = ElementWidth(bits: 16, groupSize: nil, metadataBits: 0)
  /// 8-bit floating point with a scale for a whole tensor, which is not counted.
  package static let f8 = ElementWidth(bits: 8, groupSize: nil, metadataBits: 0)

  /// Nil for widths that no runtime stores: bits other than 2, 3, 4, 5, 6 and 8, groups of none or
  /// of more than 65,536, metadata of more than 64 bits.
  package init?(bits: Int, groupSize: Int, metadataBits: Int = 32) {
    guard AffineLayout.allowedBits.contains(bits), (1...1 << 16).contains(groupSize),
      (0...64).contains(metadataBits)
    else { return nil }
    self.init(bits: bits, groupSize: groupSize as Int?, metadataBits: metadataBits)
  }

  private init(bits: Int, groupSize: Int?, metadataBits: Int) {
    self.bits = bits
    self.groupSize = groupSize
    self.metadataBits = metadataBits
  }

  /// Bits of an element with its share of a whole group's metadata, `b + m / g`.
  package var averageBits: Double {
    Double(bits) + (groupSize.map { Double(metadataBits) / Double($0) } ?? 0)
  }

  /// Bytes of a row of `count` elements: `(count * b + groups * m) / 8`, rounded up. The last group
  /// may be short; a row shorter than a group is one group. Nil where the number does not fit.
  package func byteCount(of count: Int) -> Int? {
    guard count > 0 else { return count == 0 ? 0 : nil }
    let groups = groupSize.map { (count - 1) / $0 + 1 } ?? 0
    guard
      let bits = Checked.sum(
        Checked.product(count, bits), Checked.product(groups, metadataBits))
    else { return nil }
    return (bits - 1) / 8 + 1
  }
}
