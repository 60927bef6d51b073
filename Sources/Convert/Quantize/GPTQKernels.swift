import Formats
import Kernels

#if canImport(KernelsAVX2)
  import KernelsAVX2
#endif

/// The kernels of GPTQ, of the level that is used. No result depends on the level.
enum GPTQKernels {
  /// Rows that are quantized side by side.
  static let stripRows = 16

  /// See `Kernels.factorCholesky`.
  static func factor(
    _ matrix: inout [Double], order: Int, level: ProcessorLevel = .current
  ) -> Bool {
    var matrix = matrix.mutableSpan
    #if canImport(KernelsAVX2)
      if level >= .avx2 { return KernelsAVX2.factorCholesky(&matrix, order: order) }
    #endif
    return Kernels.factorCholesky(&matrix, order: order)
  }

  /// See `Kernels.quantizeWithFeedback`.
  static func quantize(
    _ weights: [Float], _ factors: GPTQFactors, scales: [Float], biases: [Float],
    _ quantizer: WeightQuantizer, level: ProcessorLevel, history: inout [Float],
    codes: inout [Float], residuals: inout [Float], errors: inout [Double]
  ) {
    let (layout, type) = (quantizer.layout, quantizer.scaleType.kernelCode)
    var history = history.mutableSpan
    var codes = codes.mutableSpan
    var residuals = residuals.mutableSpan
    var errors = errors.mutableSpan
    #if canImport(KernelsAVX2)
      if level >= .avx2 {
        return KernelsAVX2.quantizeWithFeedback(
          weights: weights.span, order: factors.order.span, feedback: factors.feedback.span,
          energies: factors.energies.span, scales: scales.span, biases: biases.span,
          groupSize: layout.groupSize, largestCode: layout.largestCode, parameters: type,
          history: &history, codes: &codes, residuals: &residuals, errors: &errors)
      }
    #endif
    Kernels.quantizeWithFeedback(
      weights: weights.span, order: factors.order.span, feedback: factors.feedback.span,
      energies: factors.energies.span, scales: scales.span, biases: biases.span,
      groupSize: layout.groupSize, largestCode: layout.largestCode, parameters: type,
      history: &history, codes: &codes, residuals: &residuals, errors: &errors)
  }

  /// See `Kernels.weightedErrors`.
  static func weightedErrors(
    _ residuals: [Float], _ factors: GPTQFactors, level: ProcessorLevel,
    history: inout [Float], errors: inout [Double]
  ) {
    var history = history.mutableSpan
    var errors = errors.mutableSpan
    #if canImport(KernelsAVX2)
      if level >= .avx2 {
        return KernelsAVX2.weightedErrors(
          residuals: residuals.span, order: factors.order.span, feedback: factors.feedback.span,
          energies: factors.energies.span, history: &history, errors: &errors)
      }
    #endif
    Kernels.weightedErrors(
      residuals: residuals.span, order: factors.order.span, feedback: factors.feedback.span,
      energies: factors.energies.span, history: &history, errors: &errors)
  }

  /// See `Kernels.descend`.
  static func descend(
    _ weights: [Float], _ factors: GPTQFactors, _ quantizer: WeightQuantizer,
    level: ProcessorLevel, codes: inout [Float], scales: inout [Float], biases: inout [Float],
    residuals: inout [Float], room: inout [Float], errors: inout [Double]
  ) {
    let (layout, type) = (quantizer.layout, quantizer.scaleType.kernelCode)
    var codes = codes.mutableSpan
    var scales = scales.mutableSpan
    var biases = biases.mutableSpan
    var residuals = residuals.mutableSpan
    var room = room.mutableSpan
    var errors = errors.mutableSpan
    #if canImport(KernelsAVX2)
      if level >= .avx2 {
        return KernelsAVX2.descend(
          weights: weights.span, gram: factors.gram.span, columns: factors.order.count,
          groupSize: layout.groupSize, largestCode: layout.largestCode, parameters: type,
          codes: &codes, scales: &scales, biases: &biases, residuals: &residuals, room: &room,
          errors: &errors)
      }
    #endif
    Kernels.descend(
      weights: weights.span, gram: factors.gram.span, columns: factors.order.count,
      groupSize: layout.groupSize, largestCode: layout.largestCode, parameters: type,
      codes: &codes, scales: &scales, biases: &biases, residuals: &residuals, room: &room,
      errors: &errors)
  }
}
