/// The pairs of the tensor that a thread works on. They are read again when it goes on to another,
/// so that memory holds no more than the pairs of one tensor for each slot.
struct PairCache {
  private var tensor: String?
  private var pairs: [LoadedPair] = []

  mutating func pairs(of tensor: String, _ updates: [LowRankUpdate]) throws -> [LoadedPair] {
    if self.tensor != tensor {
      (self.tensor, pairs) = (nil, [])
      pairs = try updates.map { try LoadedPair($0) }
      self.tensor = tensor
    }
    return pairs
  }
}
