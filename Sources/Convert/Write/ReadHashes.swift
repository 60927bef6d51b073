import Formats

/// Holds stored tensors that are read whole, run after run, against the checksums that are recorded of
/// them.
struct ReadHashes {
  private var hashes: [XXH64] = []

  /// - Parameter stored: the next bytes of each of the parts.
  mutating func add(_ stored: ArraySlice<WeightTile.Bytes>, of parts: [ReadPart]) {
    for (index, (part, stored)) in zip(parts, stored).enumerated() where part.recorded != nil {
      while hashes.count <= index { hashes.append(XXH64()) }
      hashes[index].update(stored.bytes, 0..<stored.count)
    }
  }

  /// What was read must be what was recorded: damage is not passed on. Begins anew.
  ///
  /// - Throws: `PackedError.damagedTensor`.
  mutating func finish(_ parts: [ReadPart]) throws {
    defer { hashes = [] }
    for (index, part) in parts.enumerated() {
      let found = (index < hashes.count ? hashes[index] : XXH64()).value
      if let recorded = part.recorded, recorded != found {
        throw PackedError.damagedTensor(
          file: part.file.path, tensor: part.tensor.name, found: found, recorded: recorded)
      }
    }
  }
}
