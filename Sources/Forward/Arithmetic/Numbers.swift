import Formats
import Kernels

#if canImport(KernelsAVX2)
  import KernelsAVX2
#endif

/// Kernels of the forward pass, of the level that is used. Products depend on the level in their last digits,
/// since not every processor adds them before it rounds them.
package enum Numbers {
  /// See `Kernels.product`.
  package static func product(
    _ inputs: Span<Float>, tokens: Int, weights: Span<Float>, rows: Int, k: Int,
    stride: Int? = nil, into output: inout MutableSpan<Float>, level: ProcessorLevel = .current
  ) {
    let stride = stride ?? k
    var panels = [Float](repeating: 0, count: Kernels.productRoom(rows: rows, k: k))
    var room = panels.mutableSpan
    #if canImport(KernelsAVX2)
      if level >= .avx2 {
        return KernelsAVX2.product(
          inputs: inputs, tokens: tokens, weights: weights, rows: rows, k: k, stride: stride,
          panels: &room, into: &output)
      }
    #endif
    Kernels.product(
      inputs: inputs, tokens: tokens, weights: weights, rows: rows, k: k, stride: stride,
      panels: &room, into: &output)
  }

  /// The same of arrays.
  static func product(
    _ inputs: [Float], tokens: Int, weights: Span<Float>, rows: Int, k: Int, stride: Int? = nil,
    into output: inout [Float]
  ) {
    var results = output.mutableSpan
    product(
      inputs.span, tokens: tokens, weights: weights, rows: rows, k: k, stride: stride,
      into: &results)
  }

  static func areFinite(_ values: Span<Float>) -> Bool {
    ElementKernels.largestMagnitude(values, count: values.count).isFinite
  }
}
