import Formats
import Kernels

#if arch(x86_64)
  import KernelsAVX2
#endif

/// The kernels of the level that is used.
enum QuantizationKernels {
  /// See `Kernels.quantizeBetweenExtremes`.
  static func betweenExtremes(
    _ bytes: RawSpan, _ elements: ScaleType, _ groups: Range<Int>, _ layout: AffineLayout,
    _ parameters: ScaleType, level: ProcessorLevel, codes: inout MutableSpan<UInt8>,
    scales: inout MutableSpan<Float>, biases: inout MutableSpan<Float>,
    figures: inout MutableSpan<Double>
  ) {
    #if arch(x86_64)
      if level >= .avx2 {
        return KernelsAVX2.quantizeBetweenExtremes(
          bytes, elements: elements.kernelCode, groups: groups,
          groupSize: layout.groupSize, largestCode: layout.largestCode,
          parameters: parameters.kernelCode, codes: &codes, scales: &scales, biases: &biases,
          figures: &figures)
      }
    #endif
    Kernels.quantizeBetweenExtremes(
      bytes, elements: elements.kernelCode, groups: groups, groupSize: layout.groupSize,
      largestCode: layout.largestCode, parameters: parameters.kernelCode, codes: &codes,
      scales: &scales, biases: &biases, figures: &figures)
  }

  /// See `Kernels.quantizeBySearch`.
  static func bySearch(
    _ bytes: RawSpan, _ elements: ScaleType, _ groups: Range<Int>, _ layout: AffineLayout,
    _ parameters: ScaleType, importance: Span<Float>, firstInput: Int, moveLimit: Float,
    level: ProcessorLevel, codes: inout MutableSpan<UInt8>, scales: inout MutableSpan<Float>,
    biases: inout MutableSpan<Float>, figures: inout MutableSpan<Double>
  ) {
    #if arch(x86_64)
      if level >= .avx2 {
        return KernelsAVX2.quantizeBySearch(
          bytes, elements: elements.kernelCode, groups: groups,
          groupSize: layout.groupSize, largestCode: layout.largestCode,
          parameters: parameters.kernelCode, importance: importance, firstInput: firstInput,
          widest: layout.widestClip, moveLimit: moveLimit, codes: &codes, scales: &scales,
          biases: &biases, figures: &figures)
      }
    #endif
    Kernels.quantizeBySearch(
      bytes, elements: elements.kernelCode, groups: groups, groupSize: layout.groupSize,
      largestCode: layout.largestCode, parameters: parameters.kernelCode, importance: importance,
      firstInput: firstInput, widest: layout.widestClip, moveLimit: moveLimit, codes: &codes,
      scales: &scales, biases: &biases, figures: &figures)
  }
}

extension AffineLayout {
  /// Share of the range that the strongest clipping takes from one end. The fewer the codes, the more
  /// clipping pays: up to a third at 2 bits.
  var widestClip: Float {
    switch bits {
    case 2: 0.32
    case 3: 0.20
    case 4: 0.12
    case 5: 0.06
    case 6: 0.03
    default: 0.008
    }
  }
}
