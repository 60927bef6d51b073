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
    let squared: Double
    let largest: Double
    /// Sum of squares with the importance of each; `squared` where all count alike.
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
    if isSearched, loss.squared > 0 {
      for candidate in candidates(low: low, high: high, found) {
        let trialLoss = encode(candidate.encoding, candidate.stored, counting: importance)
        // The sum of squares would let one weight move far to help many small ones; no weight may
        // move by more than MLX's own quantizer and half a step allow.
        guard trialLoss.weighted < loss.weighted,
          candidate.isMLX
            || trialLoss.largest <= largestMove * Double(abs(candidate.stored.scale))
        else { continue }
        (best, loss) = (candidate.stored, trialLoss)
        for i in 0..<size { output[start + i] = trial[i] }
      }
    }
    return (
      best,
      QuantizationError(
        squaredNorm: GroupKernels.squaredNorm(weights.span, 0, size), squaredError: loss.squared,
        largestError: loss.largest)
    )
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
    let (squared, largest) = GroupKernels.difference(
      weights.span, 0, size, decoded: decoded.span, at: 0)
    let weighted =
      importance.map {
        GroupKernels.weightedDifference(
          weights.span, 0, size, decoded: decoded.span, importance: $0.values.span, at: $0.start)
      } ?? squared
    return Loss(squared: squared, largest: largest, weighted: weighted)
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
