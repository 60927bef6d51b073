/// How often each of the 65,536 patterns of a 16-bit type occurs in a part of a tensor, of fewer than
/// 2³² values.
package struct PatternCounts: Sendable {
  // Half the size of the totals: what is touched most stays nearer to the processor.
  private(set) var counts = [UInt32](repeating: 0, count: 1 << 16)
  package private(set) var valueCount = 0

  package init() {}

  /// Forgets everything, and keeps the memory.
  package mutating func reset() {
    var table = counts.mutableSpan
    for index in 0..<table.count { table[index] = 0 }
    valueCount = 0
  }

  /// Counts `count` patterns from the start of `bytes`, little-endian.
  package mutating func add(_ bytes: [UInt8], count: Int) {
    precondition(count >= 0 && bytes.count / 2 >= count)
    precondition(count <= Int(UInt32.max) - valueCount)
    valueCount += count
    let source = bytes.span
    var table = counts.mutableSpan
    // A pattern is a place in the table; what is read lies inside, by the check above.
    precondition(table.count == 1 << 16)
    let inFours = count & ~3
    for index in stride(from: 0, to: inFours, by: 4) {
      let four = unsafe UInt64(
        littleEndian: source.bytes.unsafeLoadUnaligned(
          fromUncheckedByteOffset: 2 &* index, as: UInt64.self))
      unsafe table[unchecked: Int(four & 0xFFFF)] &+= 1
      unsafe table[unchecked: Int((four &>> 16) & 0xFFFF)] &+= 1
      unsafe table[unchecked: Int((four &>> 32) & 0xFFFF)] &+= 1
      unsafe table[unchecked: Int(four &>> 48)] &+= 1
    }
    for index in inFours..<count {
      table[Int(bytes[2 * index]) | Int(bytes[2 * index + 1]) << 8] &+= 1
    }
  }
}
