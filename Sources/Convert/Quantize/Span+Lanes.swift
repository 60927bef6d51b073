extension Span<Float> {
  /// The four elements from `index` on. Out of bounds is a trap: one check for all of them, where four
  /// subscripts would have four.
  @inline(__always)
  func four(at index: Int) -> SIMD4<Float> {
    precondition(index >= 0 && index <= count - 4)
    return unsafe bytes.unsafeLoadUnaligned(
      fromUncheckedByteOffset: index &* 4, as: SIMD4<Float>.self)
  }

  /// The eight elements from `index` on, likewise.
  @inline(__always)
  func eight(at index: Int) -> SIMD8<Float> {
    precondition(index >= 0 && index <= count - 8)
    return unsafe bytes.unsafeLoadUnaligned(
      fromUncheckedByteOffset: index &* 4, as: SIMD8<Float>.self)
  }
}
