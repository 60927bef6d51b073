import Formats
import Kernels
import Stats

#if canImport(KernelsAVX2)
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
    #if canImport(KernelsAVX2)
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
    #if canImport(KernelsAVX2)
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

  /// What decoded weights of a tile lose in whole groups: sums in which every square counts as much as
  /// its input.
  ///
  /// - Parameters:
  ///   - importance: what squares count; groups in none of the runs have inputs that count alike.
  ///   - figures: room for three numbers of each group.
  static func error(
    of decoded: [Float], beside bytes: RawSpan, _ elements: ScaleType, groupCount: Int,
    groupSize: Int, importance: [ImportanceRun] = [], figures: inout [Double],
    level: ProcessorLevel = .current
  ) -> QuantizationError {
    figures.grow(to: 3 * groupCount, filler: 0)
    for stretch in ImportanceCursor.stretches(
      of: importance, groupSize: groupSize, groupCount: groupCount)
    {
      let (groups, values, input) = stretch
      var output = figures.mutableSpan
      #if canImport(KernelsAVX2)
        if level >= .avx2 {
          KernelsAVX2.compareGroups(
            bytes, elements: elements.kernelCode, decoded: decoded.span, groups: groups,
            groupSize: groupSize, importance: values.span, firstInput: input, figures: &output)
          continue
        }
      #endif
      Kernels.compareGroups(
        bytes, elements: elements.kernelCode, decoded: decoded.span, groups: groups,
        groupSize: groupSize, importance: values.span, firstInput: input, figures: &output)
    }
    var total = QuantizationError()
    for group in 0..<groupCount { total.merge(QuantizationError(figures: figures, group: group)) }
    return total
  }

  /// What decoding packed groups loses: the same numbers as of the decoded weights.
  ///
  /// - Parameters:
  ///   - groups: `groupCount` of them, from the start.
  ///   - type: what decoding rounds to.
  ///   - figures: room for three numbers of each group.
  static func error(
    of groups: PackedGroups, _ layout: AffineLayout, in type: ScaleType, beside bytes: RawSpan,
    _ elements: ScaleType, groupCount: Int, figures: inout [Double],
    level: ProcessorLevel = .current
  ) -> QuantizationError {
    figures.grow(to: 3 * groupCount, filler: 0)
    comparePacked(
      bytes, elements, groups, groupCount: groupCount, layout, type, level: level,
      figures: &figures)
    let size = layout.groupSize
    var total = QuantizationError()
    for group in 0..<groupCount {
      guard figures[3 * group] < 0 else {
        total.merge(QuantizationError(figures: figures, group: group))
        continue
      }
      var decoded = [Float](repeating: 0, count: size)
      var output = decoded.mutableSpan
      layout.dequantizeGroup(
        groups.codes.span, at: group * size, scale: groups.scales[group],
        bias: groups.biases[group], in: type, into: &output, at: 0)
      let start = group * size * elements.byteCount
      var own: [Double] = []
      total.merge(
        error(
          of: decoded, beside: bytes.extracting(start..<start + size * elements.byteCount),
          elements, groupCount: 1, groupSize: size, figures: &own, level: level))
    }
    return total
  }

  private static func comparePacked(
    _ bytes: RawSpan, _ elements: ScaleType, _ groups: PackedGroups, groupCount: Int,
    _ layout: AffineLayout, _ type: ScaleType, level: ProcessorLevel, figures: inout [Double]
  ) {
    var output = figures.mutableSpan
    #if canImport(KernelsAVX2)
      if level >= .avx2 {
        return KernelsAVX2.comparePackedGroups(
          bytes, elements: elements.kernelCode, codes: groups.codes.span,
          scales: groups.scales.span, biases: groups.biases.span, groupCount: groupCount,
          groupSize: layout.groupSize, largestCode: layout.largestCode,
          parameters: type.kernelCode, figures: &output)
      }
    #endif
    Kernels.comparePackedGroups(
      bytes, elements: elements.kernelCode, codes: groups.codes.span, scales: groups.scales.span,
      biases: groups.biases.span, groupCount: groupCount, groupSize: layout.groupSize,
      largestCode: layout.largestCode, parameters: type.kernelCode, figures: &output)
  }

  /// See `Kernels.squaredRanges`.
  static func squaredRanges(
    _ bytes: RawSpan, _ elements: ScaleType, groupCount: Int, groupSize: Int,
    into squares: inout [Double], level: ProcessorLevel = .current
  ) {
    squares.grow(to: groupCount, filler: 0)
    var output = squares.mutableSpan
    #if canImport(KernelsAVX2)
      if level >= .avx2 {
        return KernelsAVX2.squaredRanges(
          bytes, elements: elements.kernelCode, groupCount: groupCount, groupSize: groupSize,
          into: &output)
      }
    #endif
    Kernels.squaredRanges(
      bytes, elements: elements.kernelCode, groupCount: groupCount, groupSize: groupSize,
      into: &output)
  }
}

extension QuantizationError {
  /// What kernels give for a group.
  init(figures: [Double], group: Int) {
    self.init(
      squaredNorm: figures[3 * group], squaredError: figures[3 * group + 1],
      largestError: figures[3 * group + 2])
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
