/// Turns numbers into stored elements.
package enum ElementEncoder {
  /// Index of the first of `count` values that `type` cannot hold: those that would be infinite, or
  /// that are not finite already.
  package static func firstOverflow(
    _ values: [Float], count: Int, as type: ScaleType
  ) -> Int? {
    // The largest magnitude decides.
    let largest = ElementKernels.largestMagnitude(values.span, count: count)
    guard !type.round(largest).isFinite else { return nil }
    return (0..<count).first { !type.round(values[$0]).isFinite }
  }

  /// Writes the first `count` of `values` as `type`, little-endian, rounded to nearest even.
  ///
  /// - Parameter bytes: receives `count` elements from its start; must have room for them.
  package static func encode(
    _ values: [Float], count: Int, as type: ScaleType, into bytes: inout [UInt8]
  ) {
    precondition(values.count >= count && bytes.count >= count * type.byteCount)
    let source = values.span
    var output = bytes.mutableSpan
    switch type {
    case .f16: ElementKernels.encodeHalves(source, count: count, as: .f16, into: &output)
    case .bf16: ElementKernels.encodeHalves(source, count: count, as: .bf16, into: &output)
    case .f32:
      for i in 0..<count { output.store(source[i].bitPattern, index: i) }
    }
  }
}

extension MutableSpan<UInt8> {
  /// Stores `value` little-endian as element `index` of an array of its type.
  @inline(__always)
  mutating func store<T: FixedWidthInteger & BitwiseCopyable>(_ value: T, index: Int) {
    let offset = index * MemoryLayout<T>.size
    var rest = value
    for byte in 0..<MemoryLayout<T>.size {
      self[offset + byte] = UInt8(truncatingIfNeeded: rest)
      rest &>>= 8
    }
  }
}
