/// Stores numbers as F16 or BF16 (`elements` 0 or 1), little-endian, rounded to nearest even: every number,
/// with infinity beyond the range and a quiet NaN for NaN.
package func encodeHalves(
  _ values: Span<Float>, count: Int, elements: Int, into bytes: inout MutableSpan<UInt8>
) {
  precondition(count >= 0 && values.count >= count && bytes.count / 2 >= count)
  precondition(elements == 0 || elements == 1)
  var output = unsafe bytes.mutableBytes
  for index in 0..<count {
    let bits = unsafe values[unchecked: index].bitPattern
    let pattern = elements == 0 ? f16Pattern(bits) : bf16Pattern(bits)
    unsafe output.storeBytes(
      of: pattern.littleEndian, toUncheckedByteOffset: 2 &* index, as: UInt16.self)
  }
}

/// All cases are worked out and one is taken, so that numbers of any kind go side by side.
@inline(__always)
private func f16Pattern(_ bits: UInt32) -> UInt16 {
  let magnitude = bits & 0x7FFF_FFFF
  let normal = (magnitude &+ 0xC800_0FFF &+ (magnitude &>> 13 & 1)) &>> 13
  // Adding 0.5 puts the units of 2^-24 at the end of the mantissa, and rounds.
  let subnormal = (Float(bitPattern: magnitude) + 0.5).bitPattern &- 0x3F00_0000
  let finite = magnitude < 0x3880_0000 ? subnormal : normal
  let special: UInt32 = magnitude > 0x7F80_0000 ? 0x7E00 : 0x7C00
  let pattern = magnitude >= 0x4780_0000 ? special : finite
  return UInt16(truncatingIfNeeded: pattern | (bits &>> 16 & 0x8000))
}

@inline(__always)
private func bf16Pattern(_ bits: UInt32) -> UInt16 {
  let rounded = (bits &+ 0x7FFF &+ (bits &>> 16 & 1)) &>> 16
  let quiet = bits &>> 16 | 0x0040
  return UInt16(truncatingIfNeeded: bits & 0x7FFF_FFFF > 0x7F80_0000 ? quiet : rounded)
}

/// The largest magnitude, as a pattern: infinity counts more than any number, NaN more than infinity.
package func largestMagnitude(_ values: Span<Float>, count: Int) -> UInt32 {
  precondition(count >= 0 && values.count >= count)
  // Signed, as every processor compares them.
  var largest: Int32 = 0
  for index in 0..<count {
    largest = max(
      largest, unsafe Int32(bitPattern: values[unchecked: index].bitPattern & 0x7FFF_FFFF))
  }
  return UInt32(bitPattern: largest)
}
