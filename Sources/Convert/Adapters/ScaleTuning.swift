import Formats

/// Tuned scales in the place of a packed weight's own; codes and zero points stay.
///
/// PEQA trains s in w = s·(code - z). With a bias, -s·z, the point z = -bias / scale stays where it
/// was if the bias grows with the scale: b' = b · s' / s. Formed in `Double` with s' as it is stored,
/// and rounded once. A group whose scale is 0 has no such point; its bias stays.
/// Source: PEQA, arXiv 2305.14152, section 3.
struct ScaleTuning {
  /// Of the biases, for messages.
  let name: String
  let layout: AffineLayout
  let scales: AdapterTensor
  let scaleType: ScaleType
  let biasType: ScaleType

  /// Replaces `scales` and moves `biases`, those of `groups`.
  ///
  /// - Parameter tuned: any buffer.
  /// - Throws: `MergeError.overflow`; `AdapterError`, `FileError` where the adapter cannot be read.
  func apply(
    to groups: Range<Int>, scales: inout [Float], biases: inout [Float], tuned: inout [Float]
  ) throws {
    tuned.grow(to: groups.count, filler: 0)
    try self.scales.adapter.read(groups, of: self.scales.tensor, into: &tuned)
    let decoded = scaleType.promoted(with: biasType)
    let steps = Float(layout.largestCode)
    for index in 0..<groups.count {
      let scale = scaleType.round(tuned[index])
      let old = Double(scales[index])
      let bias = biasType.round(
        old == 0 ? Double(biases[index]) : Double(biases[index]) * Double(scale) / old)
      guard scale.isFinite, bias.isFinite,
        decoded.round(decoded.round(steps * scale) + bias).isFinite
      else {
        throw MergeError.overflow(
          tensor: name, index: groups.lowerBound + index, type: biasType)
      }
      scales[index] = scale
      biases[index] = bias
    }
  }
}

extension TensorUpdate {
  /// - Throws: `MergeError.wrongShape` where tuned scales belong to other groups.
  func checkScales(
    _ layout: AffineLayout, inputs: Int, tensor: String
  ) throws(MergeError) {
    guard let scales, scales.tensor.dimensions[1] != inputs / layout.groupSize else { return }
    throw .wrongShape(
      adapter: scales.adapter.path, tensor: scales.tensor.name, shape: scales.tensor.shape,
      base: tensor,
      expected: "[\(scales.tensor.shape[0]), \(inputs / layout.groupSize)],"
        + " for its groups are of \(layout.groupSize)")
  }
}
