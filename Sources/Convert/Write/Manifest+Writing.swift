import Formats

extension Manifest {
  /// The metadata of a file that carries this manifest, with a header that is still to be sealed.
  var metadata: [(name: String, value: String)] {
    [
      (Manifest.headerChecksumKey, HeaderChecksum.placeholder),
      (Manifest.manifestKey, jsonText),
    ]
  }

  /// - Parameter digests: by the names of the stored tensors.
  mutating func record(digests: [String: Digest]) {
    for index in tensors.indices {
      for position in tensors[index].stored.indices {
        let name = tensors[index].stored[position].name
        tensors[index].stored[position].digest = digests[name] ?? .blank
      }
    }
  }

  /// One manifest for the tensors of all shards of an output. What is about the whole output is the
  /// same in each; a plan and folds are cut to a shard's tensors.
  init(uniting shards: [Manifest]) {
    precondition(!shards.isEmpty, "an output has a file")
    self = shards[0]
    tensors = shards.flatMap(\.tensors)
    let planned = shards.compactMap { $0.plan?["tensors"]?.arrayValue }.flatMap(\.self)
    folds = Self.folds(of: shards)
    if plan != nil { plan?["tensors"] = .array(planned) }
  }

  /// Those of an output, each once; none of one that has no manifests.
  package static func folds(of shards: [Manifest]) -> [Fold] {
    var isKnown = Set<String>()
    return shards.flatMap(\.folds).filter { isKnown.insert($0.module).inserted }
  }

  mutating func sortTensors() {
    tensors.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
  }
}
