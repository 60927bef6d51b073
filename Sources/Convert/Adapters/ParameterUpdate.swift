import Formats

/// What adapters do to the scales and biases of a packed tensor; its codes stay.
struct ParameterUpdate: Sendable {
  enum Kind: Sendable {
    /// Pooled pairs are added to the biases.
    case pooled([LowRankUpdate])
    /// Tuned scales take the place of the packed weight's.
    case tuned(AdapterTensor)
  }

  let kind: Kind
  /// Name of the weight.
  let name: String
  let packing: AffinePacking
  /// Groups in a row.
  let groupsPerRow: Int

  /// Nil where an update leaves scales and biases alone.
  init?(
    _ update: TensorUpdate?, name: String, packing: AffinePacking, groupsPerRow: Int
  ) {
    if let scales = update?.scales {
      kind = .tuned(scales)
    } else if let pairs = update?.pooled, !pairs.isEmpty {
      kind = .pooled(pairs)
    } else {
      return nil
    }
    self.name = name
    self.packing = packing
    self.groupsPerRow = groupsPerRow
  }

  var changesScales: Bool { if case .tuned = kind { true } else { false } }

  /// The buffers of one thread.
  private final class Scratch {
    var pairs = PairCache()
    var merge = BiasMerge.Scratch()
    var tuned: [Float] = []
  }

  /// Changes `scales` and `biases`, those of `groups` of the tensor.
  ///
  /// - Throws: `MergeError.overflow`; `AdapterError`, `FileError` where an adapter cannot be read.
  func apply(
    to groups: Range<Int>, scales: inout [Float], biases: inout [Float],
    rounding: inout BiasRounding, scratch tile: WeightTile
  ) throws {
    let scratch = tile.scratch { Scratch() }
    let biasName = Manifest.Entry.packedNames(of: name).biases
    switch kind {
    case .tuned(let tuned):
      try ScaleTuning(
        name: biasName, layout: packing.layout, scales: tuned, scaleType: packing.scaleType,
        biasType: packing.biasType
      ).apply(to: groups, scales: &scales, biases: &biases, tuned: &scratch.tuned)
    case .pooled(let pairs):
      try BiasMerge(
        name: biasName, layout: packing.layout, perRow: groupsPerRow,
        decoded: packing.decodedType, type: packing.biasType
      ).apply(
        scratch.pairs.pairs(of: name, pairs), to: groups, scales: scales, biases: &biases,
        scratch: &scratch.merge, rounding: &rounding)
    }
  }
}
