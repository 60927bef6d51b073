import Formats

/// Adds pooled updates to the biases of a packed tensor.
///
/// In `w = code * scale + bias` an update that is constant within every group moves only the bias:
/// b'[o, j] = b[o, j] + factor · (B·A)[o, j·g / a]. The sum is formed in `Double` from the stored
/// bias and rounded once.
/// Source: QA-LoRA, arXiv 2309.14717, section 3.3, written for an offset in weight units.
struct BiasMerge {
  /// Of the biases, for messages.
  let name: String
  let layout: AffineLayout
  /// Groups in a row.
  let perRow: Int
  /// Type that decoded weights have.
  let decoded: ScaleType
  /// Type that the merged biases are stored in.
  let type: ScaleType

  /// The buffers of one thread.
  struct Scratch {
    fileprivate var sums: [Double] = []
    fileprivate var products: [Double] = []
  }

  /// Merges into `biases`, those of `groups` of the tensor.
  ///
  /// - Throws: `MergeError.overflow` where a bias, or the last weight of its group, exceeds its type.
  func apply(
    _ pairs: [LoadedPair], to groups: Range<Int>, scales: [Float], biases: inout [Float],
    scratch: inout Scratch, rounding: inout BiasRounding
  ) throws(MergeError) {
    scratch.sums.grow(to: perRow, filler: 0)
    let steps = Float(layout.largestCode)
    var group = groups.lowerBound
    while group < groups.upperBound {
      let (row, first) = group.quotientAndRemainder(dividingBy: perRow)
      for index in 0..<perRow { scratch.sums[index] = 0 }
      for pair in pairs {
        pair.add(
          row: row, groupSize: layout.groupSize, to: &scratch.sums, scratch: &scratch.products)
      }
      for index in first..<min(perRow, first + groups.upperBound - group) {
        let place = group - groups.lowerBound + index - first
        let exact = Double(biases[place]) + scratch.sums[index]
        let stored = type.round(exact)
        guard stored.isFinite,
          decoded.round(decoded.round(steps * scales[place]) + stored).isFinite
        else { throw .overflow(tensor: name, index: groups.lowerBound + place, type: type) }
        rounding.add(abs(Double(stored) - exact), scale: scales[place])
        biases[place] = stored
      }
      group += perRow - first
    }
  }
}
