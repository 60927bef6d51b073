import Formats
import Stats

/// Quantizes runs of groups. One instance serves one thread: it owns the scratch space.
///
/// Kernels do the groups whose numbers are plain; what needs care, few groups of a usual model, is done one
/// group at a time.
package struct GroupQuantizer {
  package let layout: AffineLayout
  package let method: QuantizationMethod
  package let scaleType: ScaleType
  private let level: ProcessorLevel
  /// Largest error that a candidate may leave in any weight, in steps of its scale. MLX's own
  /// choice leaves up to one; the rounding of stored values adds to that.
  private static let largestMove: Float = 1.5
  /// Three for each group, as the kernels give them.
  private var figures: [Double] = []
  private var careful: CarefulQuantizer

  /// - Parameter level: which kernels are used; what comes out does not depend on it.
  package init(
    layout: AffineLayout, method: QuantizationMethod, scaleType: ScaleType,
    level: ProcessorLevel = .current
  ) {
    self.layout = layout
    self.method = method
    self.scaleType = scaleType
    self.level = level
    careful = CarefulQuantizer(
      layout: layout, scaleType: scaleType, largestMove: Double(Self.largestMove))
  }

  /// Quantizes `groupCount` groups that lie one after the other.
  ///
  /// - Parameters:
  ///   - bytes: finite weights, `groupCount * groupSize` from the start, little-endian.
  ///   - elements: their type.
  ///   - importance: what errors count in a search; in order. Groups in none of the runs have inputs
  ///     that count alike.
  ///   - codes, scales, biases: receive the result, from their start. Scales and biases have the
  ///     values that `scaleType` stores.
  /// - Returns: what decoding the stored values as MLX does loses.
  package mutating func quantize(
    _ bytes: RawSpan, as elements: ScaleType, groupCount: Int, importance: [ImportanceRun] = [],
    codes: inout [UInt8], scales: inout [Float], biases: inout [Float]
  ) -> QuantizationError {
    let size = layout.groupSize
    precondition(bytes.byteCount / elements.byteCount >= groupCount * size)
    precondition(codes.count >= groupCount * size)
    precondition(scales.count >= groupCount && biases.count >= groupCount)
    figures.grow(to: 3 * groupCount, filler: 0)
    for stretch in ImportanceCursor.stretches(
      of: importance, groupSize: size, groupCount: groupCount)
    {
      runKernel(
        bytes, elements, stretch.groups, stretch.values, firstInput: stretch.firstInput,
        codes: &codes, scales: &scales, biases: &biases)
    }
    var cursor = ImportanceCursor(importance, groupSize: size)
    var total = QuantizationError()
    for group in 0..<groupCount {
      if figures[3 * group] < 0 {
        // The line that a search found, if any.
        let found = GroupParameters(scale: scales[group], bias: biases[group])
        let (parameters, error) = careful.quantize(
          bytes, as: elements, group,
          found: method != .minmax && found.isFinite ? found : nil,
          isSearched: method != .minmax,
          counting: cursor.importance(ofGroup: group), into: &codes)
        (scales[group], biases[group]) = (parameters.scale, parameters.bias)
        (figures[3 * group], figures[3 * group + 1], figures[3 * group + 2]) = (
          error.squaredNorm, error.squaredError, error.largestError
        )
        total.merge(error)
      } else {
        total.merge(QuantizationError(figures: figures, group: group))
      }
    }
    return total
  }

  /// As above, of weights that are numbers already.
  package mutating func quantize(
    _ weights: [Float], groupCount: Int, importance: [ImportanceRun] = [], codes: inout [UInt8],
    scales: inout [Float], biases: inout [Float]
  ) -> QuantizationError {
    // Numbers have no padding between them.
    let bytes = unsafe weights.span.bytes
    return quantize(
      bytes, as: .f32, groupCount: groupCount, importance: importance, codes: &codes,
      scales: &scales, biases: &biases)
  }

  /// What each of the first `groupCount` groups lost that were quantized last.
  func latestErrors(_ groupCount: Int) -> [QuantizationError] {
    (0..<groupCount).map { QuantizationError(figures: figures, group: $0) }
  }

  private mutating func runKernel(
    _ bytes: RawSpan, _ elements: ScaleType, _ groups: Range<Int>,
    _ importance: [Float], firstInput: Int, codes: inout [UInt8], scales: inout [Float],
    biases: inout [Float]
  ) {
    let (layout, method, scaleType, level) = (layout, method, scaleType, level)
    var codes = codes.mutableSpan
    var scales = scales.mutableSpan
    var biases = biases.mutableSpan
    var figures = figures.mutableSpan
    switch method {
    case .minmax:
      QuantizationKernels.betweenExtremes(
        bytes, elements, groups, layout, scaleType, level: level, codes: &codes,
        scales: &scales, biases: &biases, figures: &figures)
    // GPTQ begins with what the search finds.
    case .search, .gptq, .learn:
      QuantizationKernels.bySearch(
        bytes, elements, groups, layout, scaleType, importance: importance.span,
        firstInput: firstInput, moveLimit: Self.largestMove, level: level,
        codes: &codes, scales: &scales, biases: &biases, figures: &figures)
    }
  }
}
