/// Steps over text that is known to be well-formed UTF-8.
extension Span where Element == UInt8 {
  /// The scalar that begins at `offset`, and how many bytes it takes.
  @inline(__always)
  func scalar(at offset: Int) -> (value: UInt32, byteCount: Int) {
    let first = UInt32(self[offset])
    if first < 0x80 { return (first, 1) }
    let second = UInt32(self[offset + 1] & 0x3F)
    if first < 0xE0 { return ((first & 0x1F) << 6 | second, 2) }
    let third = UInt32(self[offset + 2] & 0x3F)
    if first < 0xF0 { return ((first & 0x0F) << 12 | second << 6 | third, 3) }
    let fourth = UInt32(self[offset + 3] & 0x3F)
    return ((first & 0x07) << 18 | second << 12 | third << 6 | fourth, 4)
  }

  /// Where the scalar begins that ends at `offset`.
  @inline(__always)
  func scalarStart(before offset: Int) -> Int {
    var start = offset - 1
    while self[start] & 0xC0 == 0x80 { start -= 1 }
    return start
  }

  /// Where the scalar ends that begins at `offset`.
  @inline(__always)
  func scalarEnd(at offset: Int) -> Int {
    let first = self[offset]
    return offset + (first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4)
  }

  var isASCII: Bool {
    for i in indices where self[i] >= 0x80 { return false }
    return true
  }

  func starts(with prefix: [UInt8], at offset: Int = 0) -> Bool {
    guard count - offset >= prefix.count else { return false }
    for i in prefix.indices where self[offset + i] != prefix[i] { return false }
    return true
  }

  func isEqual(to other: Span<UInt8>) -> Bool {
    guard count == other.count else { return false }
    for i in indices where self[i] != other[i] { return false }
    return true
  }

  /// Where `needle`, which is not empty, occurs first at `offset` or behind it.
  func firstOffset(of needle: [UInt8], from offset: Int) -> Int? {
    var start = offset
    while start + needle.count <= count {
      if self[start] == needle[0], starts(with: needle, at: start) { return start }
      start += 1
    }
    return nil
  }
}

extension [UInt8] {
  mutating func append(scalar: UInt32) {
    switch scalar {
    case 0..<0x80: append(UInt8(scalar))
    case 0x80..<0x800:
      append(UInt8(0xC0 | scalar >> 6))
      append(UInt8(0x80 | scalar & 0x3F))
    case 0x800..<0x1_0000:
      append(UInt8(0xE0 | scalar >> 12))
      append(UInt8(0x80 | scalar >> 6 & 0x3F))
      append(UInt8(0x80 | scalar & 0x3F))
    default:
      append(UInt8(0xF0 | scalar >> 18))
      append(UInt8(0x80 | scalar >> 12 & 0x3F))
      append(UInt8(0x80 | scalar >> 6 & 0x3F))
      append(UInt8(0x80 | scalar & 0x3F))
    }
  }

  mutating func append(_ bytes: Span<UInt8>) {
    // The buffer is read within the call and not kept.
    unsafe bytes.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
  }
}
