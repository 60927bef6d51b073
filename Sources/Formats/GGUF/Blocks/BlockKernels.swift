import Kernels

#if canImport(KernelsAVX2)
  import KernelsAVX2
#endif

/// Kernels for blocks, of the level that is used. No result depends on the level.
package enum BlockKernels {
  /// See `Kernels.unpackBlockField`.
  ///
  /// - Parameter codes: at least `blockCount * type.blockLength`.
  static func unpackCodes(
    _ bytes: Span<UInt8>, blockCount: Int, _ type: GGMLType, into codes: inout [UInt8],
    level: ProcessorLevel = .current
  ) {
    var output = codes.mutableSpan
    for index in 0..<blockCount * type.blockLength { output[index] = 0 }
    for field in type.codeFields ?? [] {
      #if canImport(KernelsAVX2)
        if level >= .avx2 {
          KernelsAVX2.unpackBlockField(
            bytes, blockCount: blockCount, blockBytes: type.blockByteCount,
            blockLength: type.blockLength, offset: field.offset, chunk: field.chunk,
            bits: field.bits, shift: field.shift, flip: field.flip, into: &output)
          continue
        }
      #endif
      Kernels.unpackBlockField(
        bytes, blockCount: blockCount, blockBytes: type.blockByteCount,
        blockLength: type.blockLength, offset: field.offset, chunk: field.chunk,
        bits: field.bits, shift: field.shift, flip: field.flip, into: &output)
    }
  }

  /// See `Kernels.packBlockField`.
  static func packCodes(
    _ codes: Span<UInt8>, blockCount: Int, _ type: GGMLType, into bytes: inout [UInt8],
    level: ProcessorLevel = .current
  ) {
    var output = bytes.mutableSpan
    for field in type.codeFields ?? [] {
      #if canImport(KernelsAVX2)
        if level >= .avx2 {
          KernelsAVX2.packBlockField(
            codes, blockCount: blockCount, blockBytes: type.blockByteCount,
            blockLength: type.blockLength, offset: field.offset, chunk: field.chunk,
            bits: field.bits, shift: field.shift, flip: field.flip, into: &output)
          continue
        }
      #endif
      Kernels.packBlockField(
        codes, blockCount: blockCount, blockBytes: type.blockByteCount,
        blockLength: type.blockLength, offset: field.offset, chunk: field.chunk,
        bits: field.bits, shift: field.shift, flip: field.flip, into: &output)
    }
  }

  /// See `Kernels.dequantizeSubBlocks`.
  static func dequantize(
    _ codes: Span<UInt8>, scales: Span<Float>, biases: Span<Float>, count: Int, length: Int,
    zero: Float, into weights: inout MutableSpan<Float>, level: ProcessorLevel = .current
  ) {
    #if canImport(KernelsAVX2)
      if level >= .avx2 {
        return KernelsAVX2.dequantizeSubBlocks(
          codes, scales: scales, biases: biases, count: count, length: length, zero: zero,
          into: &weights)
      }
    #endif
    Kernels.dequantizeSubBlocks(
      codes, scales: scales, biases: biases, count: count, length: length, zero: zero,
      into: &weights)
  }

  /// See `Kernels.quantizeSuperBlocks`.
  static func quantizeSuperBlocks(
    _ weights: Span<Float>, blockCount: Int, importance: Span<Float>, firstInput: Int,
    _ layout: BlockLayout, level: ProcessorLevel, codes: inout [UInt8],
    scaleCodes: inout [Int8], minimumCodes: inout [Int8], factors: inout [Float]
  ) {
    let allowed = layout.scaleCodes
    var codes = codes.mutableSpan
    var scaleCodes = scaleCodes.mutableSpan
    var minimumCodes = minimumCodes.mutableSpan
    var factors = factors.mutableSpan
    #if canImport(KernelsAVX2)
      if level >= .avx2 {
        return KernelsAVX2.quantizeSuperBlocks(
          weights, blockCount: blockCount, importance: importance, firstInput: firstInput,
          subBlockLength: layout.subBlockLength, isAffine: layout.isAffine, zero: layout.zero,
          largestCode: layout.codeCount - 1, leastScaleCode: allowed.lowerBound,
          largestScaleCode: allowed.upperBound, codes: &codes, scaleCodes: &scaleCodes,
          minimumCodes: &minimumCodes, factors: &factors)
      }
    #endif
    Kernels.quantizeSuperBlocks(
      weights, blockCount: blockCount, importance: importance, firstInput: firstInput,
      subBlockLength: layout.subBlockLength, isAffine: layout.isAffine, zero: layout.zero,
      largestCode: layout.codeCount - 1, leastScaleCode: allowed.lowerBound,
      largestScaleCode: allowed.upperBound, codes: &codes, scaleCodes: &scaleCodes,
      minimumCodes: &minimumCodes, factors: &factors)
  }

  /// See `Kernels.quantizeBlocks`.
  static func quantizeBlocks(
    _ weights: Span<Float>, blockCount: Int, importance: Span<Float>, firstInput: Int,
    _ layout: BlockLayout, level: ProcessorLevel, codes: inout [UInt8], scales: inout [Float],
    minima: inout [Float]
  ) {
    var codes = codes.mutableSpan
    var scales = scales.mutableSpan
    var minima = minima.mutableSpan
    #if canImport(KernelsAVX2)
      if level >= .avx2 {
        return KernelsAVX2.quantizeBlocks(
          weights, blockCount: blockCount, importance: importance, firstInput: firstInput,
          isAffine: layout.isAffine, zero: layout.zero, leastCode: layout.leastCode,
          largestCode: layout.codeCount - 1, codes: &codes, scales: &scales, minima: &minima)
      }
    #endif
    Kernels.quantizeBlocks(
      weights, blockCount: blockCount, importance: importance, firstInput: firstInput,
      isAffine: layout.isAffine, zero: layout.zero, leastCode: layout.leastCode,
      largestCode: layout.codeCount - 1, codes: &codes, scales: &scales, minima: &minima)
  }
}
