import Formats
import Kernels

#if canImport(KernelsAVX2)
  import KernelsAVX2
#endif

/// Kernels of the forward pass, of the level that is used. No result depends on the level.
enum Numbers {
  /// See `Kernels.product`.
  static func product(
    _ inputs: Span<Float>, tokens: Int, weights: Span<Float>, rows: Int, k: Int,
    into output: inout MutableSpan<Float>, level: ProcessorLevel = .current
  ) {
    #if canImport(KernelsAVX2)
      if level >= .avx2 {
        return KernelsAVX2.product(
          inputs: inputs, tokens: tokens, weights: weights, rows: rows, k: k, into: &output)
      }
    #endif
    Kernels.product(
      inputs: inputs, tokens: tokens, weights: weights, rows: rows, k: k, into: &output)
  }

  /// See `Kernels.mixRows`.
  static func mix(
    _ weights: Span<Float>, from firstWeight: Int, rows: Span<Float>, from firstRow: Int,
    stride: Int, count: Int, width: Int, into output: inout MutableSpan<Float>, at target: Int,
    level: ProcessorLevel = .current
  ) {
    #if canImport(KernelsAVX2)
      if level >= .avx2 {
        return KernelsAVX2.mixRows(
          weights: weights, from: firstWeight, rows: rows, from: firstRow, stride: stride,
          count: count, width: width, into: &output, at: target)
      }
    #endif
    Kernels.mixRows(
      weights: weights, from: firstWeight, rows: rows, from: firstRow, stride: stride,
      count: count, width: width, into: &output, at: target)
  }

  static func areFinite(_ values: Span<Float>) -> Bool {
    ElementKernels.largestMagnitude(values, count: values.count).isFinite
  }
}
