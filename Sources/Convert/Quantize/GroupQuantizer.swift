import Formats
import Stats

/// Quantizes runs of groups. One instance serves one thread: it owns the scratch space.
package struct GroupQuantizer {
  package let layout: AffineLayout
  package let method: QuantizationMethod
  package let scaleType: ScaleType
  /// Largest error that a candidate may leave in any weight, in steps of its scale. MLX's own
  /// choice leaves up to one; the rounding of stored values adds to that.
  private static let largestMove = 1.5
  private var search: ParameterSearch
  private var trial: [UInt8]

  package init(layout: AffineLayout, method: QuantizationMethod, scaleType: ScaleType) {
    self.layout = layout
    self.method = method
    self.scaleType = scaleType
    search = ParameterSearch(layout: layout)
    trial = Array(repeating: 0, count: layout.groupSize)
  }

  /// Quantizes `groupCount` groups that lie one after the other.
  ///
  /// - Parameters:
  ///   - weights: finite values, `groupCount * groupSize` from the start.
  ///   - importance: what errors count in a search; in order. Groups in none of the runs have inputs
  ///     that count alike.
  ///   - codes, scales, biases: receive the result, from their start. Scales and biases have the
  ///     values that `scaleType` stores.
  /// - Returns: what decoding the stored values as MLX does loses.
  package mutating func quantize(
    _ weights: [Float], groupCount: Int, importance: [ImportanceRun] = [], codes: inout [UInt8],
    scales: inout [Float], biases: inout [Float]
  ) -> QuantizationError {
    let size = layout.groupSize
    precondition(weights.count >= groupCount * size && codes.count >= groupCount * size)
    precondition(scales.count >= groupCount && biases.count >= groupCount)
    var total = QuantizationError()
    let source = weights.span
    var output = codes.mutableSpan
    // What the codes of a group decode to.
    var decoded = [Float](repeating: 0, count: size)
    var cursor = ImportanceCursor(importance, groupSize: size)
    for group in 0..<groupCount {
      let start = group * size
      let (parameters, loss) = quantizeGroup(
        source, start, counting: cursor.importance(ofGroup: group), into: &output,
        decoded: &decoded)
      scales[group] = parameters.scale
      biases[group] = parameters.bias
      total.squaredNorm += GroupKernels.squaredNorm(source, start, size)
      total.squaredError += loss.squared
      total.largestError = max(total.largestError, loss.largest)
    }
    return total
  }

  /// What the weights of one group count: those of `values` from `start` on.
  private typealias Importance = (values: [Float], start: Int)

  /// What decoding a group's codes loses.
  private struct Loss {
    let squared: Double
    let largest: Double
    /// Sum of squares with the importance of each; `squared` where all count alike.
    let weighted: Double
  }

  private mutating func quantizeGroup(
    _ weights: Span<Float>, _ start: Int, counting importance: Importance?,
    into codes: inout MutableSpan<UInt8>, decoded: inout [Float]
  ) -> (GroupParameters, Loss) {
    let size = layout.groupSize
    let largestCode = layout.largestCode
    let (low, high) = GroupKernels.range(weights, start, size)
    var best = GroupParameters(minimum: low, maximum: high, largestCode: largestCode)
      .stored(as: scaleType, largestCode: largestCode)
    GroupKernels.encode(
      weights, start, size, with: best, largestCode: largestCode, into: &codes, at: start)
    var loss = loss(
      weights, start, codes.span, at: start, with: best, counting: importance, decoded: &decoded)
    guard method == .search, loss.squared > 0 else { return (best, loss) }

    search.setImportance(importance?.values, at: importance?.start ?? 0)
    for candidate in candidates(weights, start, low: low, high: high) {
      var trialSpan = trial.mutableSpan
      GroupKernels.encode(
        weights, start, size, with: candidate.encoding, largestCode: largestCode,
        into: &trialSpan, at: 0)
      let trialLoss = self.loss(
        weights, start, trial.span, at: 0, with: candidate.stored, counting: importance,
        decoded: &decoded)
      // The sum of squares would let one weight move far to help many small ones; no weight may
      // move by more than MLX's own quantizer and half a step allow.
      guard trialLoss.weighted < loss.weighted,
        candidate.isMLX
          || trialLoss.largest <= Self.largestMove * Double(abs(candidate.stored.scale))
      else { continue }
      (best, loss) = (candidate.stored, trialLoss)
      for i in 0..<size { codes[start + i] = trial[i] }
    }
    return (best, loss)
  }

  /// What decoding the codes as MLX does loses.
  private func loss(
    _ weights: Span<Float>, _ start: Int, _ codes: Span<UInt8>, at codeStart: Int,
    with parameters: GroupParameters, counting importance: Importance?, decoded: inout [Float]
  ) -> Loss {
    var output = decoded.mutableSpan
    layout.dequantizeGroup(
      codes, at: codeStart, scale: parameters.scale, bias: parameters.bias, in: scaleType,
      into: &output, at: 0)
    let size = layout.groupSize
    let (squared, largest) = GroupKernels.difference(
      weights, start, size, decoded: decoded.span, at: 0)
    let weighted =
      importance.map {
        GroupKernels.weightedDifference(
          weights, start, size, decoded: decoded.span, importance: $0.values.span, at: $0.start)
      } ?? squared
    return Loss(squared: squared, largest: largest, weighted: weighted)
  }

  /// Parameters to choose codes with, and as they are stored.
  private struct Candidate {
    let encoding: GroupParameters
    let stored: GroupParameters
    let isMLX: Bool
  }

  private mutating func candidates(
    _ weights: Span<Float>, _ start: Int, low: Float, high: Float
  ) -> [Candidate] {
    let largestCode = layout.largestCode
    // MLX chooses codes before it rounds the parameters; its own choice stays among the
    // candidates, so that the result is never worse than MLX's.
    let mlx = GroupParameters(mlxMinimum: low, maximum: high, largestCode: largestCode)
    let mlxStored = GroupParameters(
      scale: scaleType.round(mlx.scale), bias: scaleType.round(mlx.bias))
    var list = [
      Candidate(encoding: mlx, stored: mlxStored, isMLX: true),
      Candidate(encoding: mlxStored, stored: mlxStored, isMLX: true),
    ]
    if let found = search.best(weights, start, layout.groupSize, low: low, high: high) {
      let stored = found.stored(as: scaleType, largestCode: largestCode)
      list.append(Candidate(encoding: stored, stored: stored, isMLX: false))
      // The mirrored form of the same line: a smaller bias loses less when it is rounded.
      let mirrored = GroupParameters(
        scale: -found.scale, bias: found.bias + found.scale * Float(largestCode)
      ).stored(as: scaleType, largestCode: largestCode)
      list.append(Candidate(encoding: mirrored, stored: mirrored, isMLX: false))
    }
    return list
  }
}
