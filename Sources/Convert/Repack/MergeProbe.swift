import Formats
import Stats

/// Holds a merged checkpoint against base + adapter on random inputs.
///
/// The adapter runs as its trainer ran it: pool, then A, then B. So the probe shares neither the
/// formula of the merge nor its arithmetic: it computes in `Double`, from what was written. The two
/// sides may differ by the rounding of the biases: half a unit in the last place of each, times the
/// sum of its group's inputs.
package struct MergeProbe {
  package struct Result: Sendable, Equatable {
    package var moduleCount = 0
    package var outputCount = 0
    /// Over all outputs: largest |merged - (base + adapter)|, and largest bound on it.
    package var largestDifference = 0.0
    package var largestBound = 0.0
    /// Largest |base + adapter|, to compare with.
    package var largestOutput = 0.0
  }

  let base: PackedCheckpoint
  let merged: PackedCheckpoint
  let updates: [String: TensorUpdate]

  private static let rowsPerModule = 16
  private static let vectorCount = 4
  /// Relative error of sums of up to 2^16 terms in `Double`, whatever their order.
  private static let arithmetic = 0x1p-36

  /// - Throws: `MergeError.probeFailed` where the bound does not hold; `FileError`.
  func run(cancellation: Cancellation) throws -> Result {
    var result = Result()
    let merged = Dictionary(
      merged.tensors.map { ($0.entry.name, $0) }, uniquingKeysWith: { first, _ in first })
    for tensor in base.tensors {
      guard let update = updates[tensor.entry.name], !update.pooled.isEmpty,
        case .affine(let layout) = tensor.entry.layout, let other = merged[tensor.entry.name]
      else { continue }
      try cancellation.check()
      try compare(tensor, other, layout, update.pooled, into: &result)
    }
    return result
  }

  private func compare(
    _ tensor: PackedCheckpoint.Tensor, _ other: PackedCheckpoint.Tensor, _ layout: AffineLayout,
    _ updates: [LowRankUpdate], into result: inout Result
  ) throws {
    guard let storage = base.packedStorage(tensor), let otherStorage = merged.packedStorage(other)
    else { return }
    let (rows, inputs) = (storage.shape.rows, storage.shape.inputs)
    guard rows > 0, inputs > 0 else { return }
    var generator = SplitMix64(seed: XXH64.digest(Array(tensor.entry.name.utf8)))
    let vectors = (0..<Self.vectorCount).map { _ in
      (0..<inputs).map { _ in generator.normal() }
    }
    let adapters = try updates.map { try ForwardPass($0, vectors) }
    let (before, after) = (WeightTile(), WeightTile())
    let type = ScaleType(other.stored[2].info.dtype) ?? .f32
    let sampled = min(rows, Self.rowsPerModule)
    result.moduleCount += 1
    for index in 0..<sampled {
      let row = index * rows / sampled
      let weights = row * inputs..<(row + 1) * inputs
      try storage.read(weights, into: before)
      try otherStorage.read(weights, into: after)
      for (number, vector) in vectors.enumerated() {
        let expected = before.product(with: vector, layout, type)
        let found = after.product(with: vector, layout, type)
        var (output, magnitude) = (expected.value, expected.magnitude + found.magnitude)
        for adapter in adapters {
          let part = adapter.output(row: row, vector: number)
          output += part.value
          magnitude += part.magnitude
        }
        let difference = abs(found.value - output)
        let bound = found.roundingBound + Self.arithmetic * magnitude
        guard difference <= bound else {
          throw MergeError.probeFailed(
            module: updates[0].module, difference: difference, bound: bound)
        }
        result.outputCount += 1
        result.largestDifference = max(result.largestDifference, difference)
        result.largestBound = max(result.largestBound, bound)
        result.largestOutput = max(result.largestOutput, abs(output))
      }
    }
  }
}

extension WeightTile {
  /// The product of the row that was read with `vector`, in exact weights `code * scale + bias`;
  /// the sum of its terms' magnitudes; and what rounding each bias to `type` may change in it.
  fileprivate func product(
    with vector: [Double], _ layout: AffineLayout, _ type: ScaleType
  ) -> (value: Double, magnitude: Double, roundingBound: Double) {
    var (value, magnitude, bound) = (0.0, 0.0, 0.0)
    for group in 0..<vector.count / layout.groupSize {
      let (scale, bias) = (Double(groups.scales[group]), Double(groups.biases[group]))
      var sum = 0.0
      for i in group * layout.groupSize..<(group + 1) * layout.groupSize {
        let term = (Double(groups.codes[i]) * scale + bias) * vector[i]
        value += term
        magnitude += (Double(groups.codes[i]) * abs(scale) + abs(bias)) * abs(vector[i])
        sum += vector[i]
      }
      bound += type.halfUnit(at: groups.biases[group]) * abs(sum)
    }
    return (value, magnitude, bound)
  }
}

extension ScaleType {
  /// Half the distance between neighbouring values of the type around `value`.
  fileprivate func halfUnit(at value: Float) -> Double {
    let exponent = value == 0 ? Int.min : Int(value.exponent)
    return switch self {
    case .f16: Double(sign: .plus, exponent: max(exponent, -14) - 11, significand: 1)
    case .bf16: Double(sign: .plus, exponent: max(exponent, -126) - 8, significand: 1)
    case .f32: Double(sign: .plus, exponent: max(exponent, -126) - 24, significand: 1)
    }
  }
}

/// An adapter's own output for some input vectors, before B: A times the pooled inputs.
private struct ForwardPass {
  /// For each vector and component the value, and the sum of its terms' magnitudes.
  private let hidden: [[(value: Double, magnitude: Double)]]
  private let b: [Float]
  private let factor: Double

  init(_ update: LowRankUpdate, _ vectors: [[Double]]) throws {
    guard let forward = update.forward else {
      preconditionFailure("only pooled pairs are merged into biases")
    }
    let a = try update.adapter.values(of: update.pair.a)
    b = try update.adapter.values(of: update.pair.b)
    factor = forward.factor
    let columns = update.columns
    hidden = vectors.map { vector in
      let pooled = forward.pooling.pool(vector, group: update.group)
      return (0..<update.pair.rank).map { component in
        var (value, magnitude) = (0.0, 0.0)
        for column in 0..<columns {
          let term = Double(a[component * columns + column]) * pooled[column]
          value += term
          magnitude += abs(term)
        }
        return (value, magnitude)
      }
    }
  }

  func output(row: Int, vector: Int) -> (value: Double, magnitude: Double) {
    let rank = hidden[vector].count
    var (value, magnitude) = (0.0, 0.0)
    for (component, part) in hidden[vector].enumerated() {
      let weight = factor * Double(b[row * rank + component])
      value += weight * part.value
      magnitude += abs(weight) * part.magnitude
    }
    return (value, magnitude)
  }
}
