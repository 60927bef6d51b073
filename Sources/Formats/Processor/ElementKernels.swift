import Kernels

#if canImport(KernelsAVX2)
  import KernelsAVX2
#endif

/// Kernels for elements and codes, of the level that is used. No result depends on the level.
package enum ElementKernels {
  /// Whether none of 16-bit patterns is NaN or infinity, from the start of `bytes`.
  package static func areFinite(
    _ bytes: [UInt8], count: Int, as type: ScaleType, level: ProcessorLevel = .current
  ) -> Bool {
    // Exponent all ones, nothing else.
    let limit: Int16 = type == .f16 ? 0x7C00 : 0x7F80
    // Every byte of an array of bytes is a value.
    let patterns = unsafe bytes.span.bytes
    #if canImport(KernelsAVX2)
      if level >= .avx2 {
        return KernelsAVX2.largestMagnitude(patterns, count: count) < limit
      }
    #endif
    return Kernels.largestMagnitude(patterns, count: count) < limit
  }

  /// See `Kernels.packCodes`.
  package static func pack(
    _ codes: Span<UInt8>, count: Int, bits: Int, into bytes: inout MutableSpan<UInt8>,
    level: ProcessorLevel = .current
  ) {
    #if canImport(KernelsAVX2)
      if level >= .avx2 {
        return KernelsAVX2.packCodes(codes, count: count, bits: bits, into: &bytes)
      }
    #endif
    Kernels.packCodes(codes, count: count, bits: bits, into: &bytes)
  }

  /// See `Kernels.unpackCodes`.
  package static func unpack(
    _ bytes: Span<UInt8>, count: Int, bits: Int, into codes: inout MutableSpan<UInt8>,
    level: ProcessorLevel = .current
  ) {
    #if canImport(KernelsAVX2)
      if level >= .avx2 {
        return KernelsAVX2.unpackCodes(bytes, count: count, bits: bits, into: &codes)
      }
    #endif
    Kernels.unpackCodes(bytes, count: count, bits: bits, into: &codes)
  }

  /// See `Kernels.dequantizeGroups`.
  package static func dequantize(
    _ codes: Span<UInt8>, scales: Span<Float>, biases: Span<Float>, from first: Int,
    groupCount: Int, _ layout: AffineLayout, _ type: ScaleType,
    into weights: inout MutableSpan<Float>, level: ProcessorLevel = .current
  ) -> Int {
    #if canImport(KernelsAVX2)
      if level >= .avx2 {
        return KernelsAVX2.dequantizeGroups(
          codes, scales: scales, biases: biases, from: first, groupCount: groupCount,
          groupSize: layout.groupSize, largestCode: layout.largestCode,
          parameters: type.kernelCode, into: &weights)
      }
    #endif
    return Kernels.dequantizeGroups(
      codes, scales: scales, biases: biases, from: first, groupCount: groupCount,
      groupSize: layout.groupSize, largestCode: layout.largestCode, parameters: type.kernelCode,
      into: &weights)
  }

  /// See `Kernels.encodeHalves`.
  package static func encodeHalves(
    _ values: Span<Float>, count: Int, as type: HalfPrecision,
    into bytes: inout MutableSpan<UInt8>, level: ProcessorLevel = .current
  ) {
    let elements = type == .f16 ? 0 : 1
    #if canImport(KernelsAVX2)
      if level >= .avx2 {
        return KernelsAVX2.encodeHalves(values, count: count, elements: elements, into: &bytes)
      }
    #endif
    Kernels.encodeHalves(values, count: count, elements: elements, into: &bytes)
  }

  /// The largest magnitude of numbers; infinity and NaN count more than any.
  package static func largestMagnitude(
    _ values: Span<Float>, count: Int, level: ProcessorLevel = .current
  ) -> Float {
    #if canImport(KernelsAVX2)
      if level >= .avx2 {
        return Float(bitPattern: KernelsAVX2.largestMagnitude(values, count: count))
      }
    #endif
    return Float(bitPattern: Kernels.largestMagnitude(values, count: count))
  }
}
