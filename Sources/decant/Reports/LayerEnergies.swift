import Convert
import Forward
import Model

/// For each layer, how far it leaves the hidden state as it is, and the sums of the mean squares of what its linear
/// layers read; experts take no part.
struct LayerEnergies {
  /// Ascending.
  let layers: [Int]
  /// What is read: the role of the reader, or of all readers together, in the order of reading.
  let inputs: [TensorRole]
  private let cosines: [Int: Double]
  private let sums: [Int: [TensorRole: Double]]

  init(_ similarities: [LayerSimilarity], _ tensors: [TensorStatistics]) {
    layers = similarities.map(\.layer)
    cosines = Dictionary(
      uniqueKeysWithValues: similarities.compactMap { entry in
        entry.cosine.map { (entry.layer, $0) }
      })
    var inputs: [TensorRole] = []
    var sums: [Int: [TensorRole: Double]] = [:]
    for tensor in tensors {
      guard let sum = tensor.meanSquareSum, let layer = tensor.layer, let role = tensor.role,
        !role.isExpert
      else { continue }
      let input = role.sharedInput ?? role
      if !inputs.contains(input) { inputs.append(input) }
      sums[layer, default: [:]][input] = sum
    }
    self.inputs = inputs
    self.sums = sums
  }

  func cosine(_ layer: Int) -> Double? { cosines[layer] }

  func sum(_ input: TensorRole, layer: Int) -> Double? { sums[layer]?[input] }

  /// Of all inputs of a layer.
  func total(_ layer: Int) -> Double? { sums[layer].map { $0.values.sorted().reduce(0, +) } }

  /// The input of the largest sum; of equal ones the first.
  func largest(_ layer: Int) -> TensorRole? {
    inputs.filter { sums[layer]?[$0] != nil }.max {
      (sum($0, layer: layer) ?? 0) < (sum($1, layer: layer) ?? 0)
    }
  }
}
