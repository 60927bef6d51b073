extension Span<UInt8> {
  /// The little-endian integer whose first byte is at `offset`. Out of bounds is a trap.
  @inline(__always)
  package func loadLittleEndian<T: FixedWidthInteger & BitwiseCopyable>(
    at offset: Int, as _: T.Type
  ) -> T {
    // The load itself checks its bounds, and every bit pattern of an integer is a value.
    unsafe T(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: T.self))
  }

  /// As above, without a check of its own.
  ///
  /// The caller has shown that `offset ..< offset + size` lies inside: loops over elements check
  /// once, before the first, and stay vectorizable.
  @inline(__always)
  func loadUncheckedLittleEndian<T: FixedWidthInteger & BitwiseCopyable>(
    at offset: Int, as _: T.Type
  ) -> T {
    unsafe T(littleEndian: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: T.self))
  }
}
