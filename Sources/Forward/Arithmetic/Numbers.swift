import Formats
import Kernels

#if canImport(KernelsAVX2)
  import KernelsAVX2
#endif

/// Kernels of the forward pass, of the level that is used. Fused products depend on the level in their last digits,
/// since not every processor adds them before it rounds them; nothing else does.
package enum Numbers {
  /// See `Kernels.product`.
  ///
  /// - Parameter panels: grows to what the kernel needs.
  package static func product(
    _ inputs: Span<Float>, tokens: Int, weights: Span<Float>, rows: Int, k: Int,
    stride: Int? = nil, panels: inout [Float], into output: inout MutableSpan<Float>,
    level: ProcessorLevel = .current
  ) {
    let stride = stride ?? k
    panels.grow(to: Kernels.productRoom(rows: rows, k: k), filler: 0)
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
    _ inputs: [Float], tokens: Int, weights: Span<Float>, rows: Int, k: Int,
    panels: inout [Float], into output: inout [Float]
  ) {
    var results = output.mutableSpan
    product(
      inputs.span, tokens: tokens, weights: weights, rows: rows, k: k, panels: &panels,
      into: &results)
  }

  /// Weights laid out once for several products. See `Kernels.packPanels`.
  struct Panels {
    private(set) var rows = 0
    private(set) var k = 0
    private var numbers: [Float] = []

    mutating func pack(
      _ weights: [Float], from first: Int, rows: Int, k: Int, rowStride: Int, inputStride: Int,
      level: ProcessorLevel = .current
    ) {
      (self.rows, self.k) = (rows, k)
      numbers.grow(to: Kernels.panelRoom(rows: rows, k: k), filler: 0)
      var panels = numbers.mutableSpan
      #if canImport(KernelsAVX2)
        if level >= .avx2 {
          return KernelsAVX2.packPanels(
            weights.span, from: first, rows: rows, k: k, rowStride: rowStride,
            inputStride: inputStride, into: &panels)
        }
      #endif
      Kernels.packPanels(
        weights.span, from: first, rows: rows, k: k, rowStride: rowStride,
        inputStride: inputStride, into: &panels)
    }

    /// See `Kernels.panelProduct`.
    func product(
      _ inputs: [Float], from first: Int, tokens: Int, stride: Int, rows usedRows: Range<Int>,
      inputs usedInputs: Range<Int>, fused: Bool = true, into output: inout [Float],
      at place: Int = 0, level: ProcessorLevel = .current
    ) {
      var results = output.mutableSpan
      #if canImport(KernelsAVX2)
        if level >= .avx2 {
          return KernelsAVX2.panelProduct(
            inputs: inputs.span, from: first, tokens: tokens, stride: stride, panels: numbers.span,
            rows: rows, k: k, usedRows: usedRows, usedInputs: usedInputs, fused: fused,
            into: &results, at: place)
        }
      #endif
      Kernels.panelProduct(
        inputs: inputs.span, from: first, tokens: tokens, stride: stride, panels: numbers.span,
        rows: rows, k: k, usedRows: usedRows, usedInputs: usedInputs, fused: fused, into: &results,
        at: place)
    }
  }

  /// See `Kernels.multiply`.
  @discardableResult
  static func multiply(
    _ values: inout MutableSpan<Float>, _ range: Range<Int>, by factor: Float,
    level: ProcessorLevel = .current
  ) -> Float {
    #if canImport(KernelsAVX2)
      if level >= .avx2 { return KernelsAVX2.multiply(&values, range, by: factor) }
    #endif
    return Kernels.multiply(&values, range, by: factor)
  }

  /// See `Kernels.exponentiate`.
  static func exponentiate(
    _ values: inout MutableSpan<Float>, _ range: Range<Int>, largest: Float,
    level: ProcessorLevel = .current
  ) -> Double {
    #if canImport(KernelsAVX2)
      if level >= .avx2 { return KernelsAVX2.exponentiate(&values, range, largest: largest) }
    #endif
    return Kernels.exponentiate(&values, range, largest: largest)
  }

  /// See `Kernels.logisticUnits`.
  static func logisticUnits(
    _ values: inout MutableSpan<Float>, slope: Float, cubic: Float = 0,
    level: ProcessorLevel = .current
  ) {
    #if canImport(KernelsAVX2)
      if level >= .avx2 { return KernelsAVX2.logisticUnits(&values, slope: slope, cubic: cubic) }
    #endif
    Kernels.logisticUnits(&values, slope: slope, cubic: cubic)
  }

  static func areFinite(_ values: Span<Float>) -> Bool {
    ElementKernels.largestMagnitude(values, count: values.count).isFinite
  }
}
