import Formats
import Stats

/// Quantizes one group at a time, whatever its numbers are: subnormal or huge ones, ranges that no scale
/// of the type spans, groups of one value, candidates that lose nearly the same.
struct CarefulQuantizer {
  private let layout: AffineLayout
  private let scaleType: ScaleType
  /// Largest error that a found candidate may leave in any weight, in steps of its scale.
  private let largestMove: Double
  private var weights: [Float]
  private var trial: [UInt8]
  /// What the codes of a group decode to.
  private var decoded: [Float]
  private var figures: [Double] = []

  init(layout: AffineLayout, scaleType: ScaleType, largestMove: Double) {
    self.layout = layout
    self.scaleType = scaleType
    self.largestMove = largestMove
    weights = Array(repeating: 0, count: layout.groupSize)
    decoded = weights
    trial = Array(repeating: 0, count: layout.groupSize)
  }

  /// What the weights of a group count: those of `values` from `start` on.
  typealias Importance = (values: [Float], start: Int)

  /// What decoding a group's codes loses.
  private struct Loss {
    let error: QuantizationError
    /// Sum of squares with the importance of each; that of `error` where all count alike.
    let weighted: Double
  }

  /// Quantizes group `group` of the weights in `bytes` into its place in `codes`.
  ///
  /// - Parameters:
  ///   - found: the line that a search found, if any, not rounded yet.
  ///   - isSearched: whether the best of several candidates is taken, else the extremes.
  mutating func quantize(
    _ bytes: RawSpan, as elements: ScaleType, _ group: Int, found: GroupParameters?,
    isSearched: Bool, counting importance: Importance?, into codes: inout [UInt8]
  ) -> (GroupParameters, QuantizationError) {
    let size = layout.groupSize
    let start = group * size
    ElementDecoder.decode(bytes, from: start, as: elements, into: &weights)
    let (low, high) = GroupKernels.range(weights.span, 0, size)
    var best = GroupParameters(minimum: low, maximum: high, largestCode: layout.largestCode)
      .stored(as: scaleType, largestCode: layout.largestCode)
    var output = codes.mutableSpan
    var loss = encode(best, best, counting: importance)
    for i in 0..<size { output[start + i] = trial[i] }
    if isSearched, loss.error.squaredError > 0 {
      for candidate in candidates(low: low, high: high, found) {
        let trialLoss = encode(candidate.encoding, candidate.stored, counting: importance)
        // The sum of squares would let one weight move far to help many small ones; no weight may
        // move by more than MLX's own quantizer and half a step allow.
        guard trialLoss.weighted < loss.weighted,
          candidate.isMLX
            || trialLoss.error.largestError <= largestMove * Double(abs(candidate.stored.scale))
        else { continue }
        (best, loss) = (candidate.stored, trialLoss)
        for i in 0..<size { output[start + i] = trial[i] }
      }
    }
    return (best, loss.error)
  }

  /// Chooses the codes of `trial` for `encoding`, and tells what decoding them with `stored` as MLX does
  /// loses.
  private mutating func encode(
    _ encoding: GroupParameters, _ stored: GroupParameters, counting importance: Importance?
  ) -> Loss {
    let (layout, scaleType, weights) = (layout, scaleType, weights)
    let size = layout.groupSize
    var codes = trial.mutableSpan
    GroupKernels.encode(
      weights.span, 0, size, with: encoding, largestCode: layout.largestCode, into: &codes, at: 0)
    let chosen = trial
    var output = decoded.mutableSpan
    layout.dequantizeGroup(
      chosen.span, at: 0, scale: stored.scale, bias: stored.bias, in: scaleType, into: &output,
      at: 0)
    let error = error(counting: [])
    guard let importance else { return Loss(error: error, weighted: error.squaredError) }
    let run = ImportanceRun(
      groups: 0..<1, values: importance.values, firstInput: importance.start)
    return Loss(error: error, weighted: self.error(counting: [run]).squaredError)
  }

  /// What is decoded loses of the group's weights.
  private mutating func error(counting importance: [ImportanceRun]) -> QuantizationError {
    let weights = weights
    // Numbers have no padding between them.
    return unsafe QuantizationKernels.error(
      of: decoded, beside: weights.span.bytes, .f32, groupCount: 1, groupSize: layout.groupSize,
      importance: importance, figures: &figures)
  }

  /// Parameters to choose codes with, and as they are stored.
  private struct Candidate {
    let encoding: GroupParameters
    let stored: GroupParameters
    let isMLX: Bool
  }

  private func candidates(
    low: Float, high: Float, _ found: GroupParameters?
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
    guard let found else { return list }
    // The mirrored form of the same line may have a smaller bias, which loses less when it is rounded.
    let mirrored = GroupParameters(
      scale: -found.scale, bias: found.bias + found.scale * Float(largestCode))
    for line in [found, mirrored] {
      let stored = line.stored(as: scaleType, largestCode: largestCode)
      list.append(Candidate(encoding: stored, stored: stored, isMLX: false))
    }
    return list
  }
}
