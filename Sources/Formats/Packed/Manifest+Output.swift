extension Manifest {
  /// Which output a file belongs to, and which part of it the file is. Every shard carries the same
  /// but for its number, so that shards of different outputs cannot pass for one.
  package struct Output: Sendable, Equatable {
    /// Counted from 1.
    package let shard: Int
    package let shardCount: Int
    /// Of the lines of all shards; see `digest`.
    package var checksum: UInt64
    /// The files that decant made beside the weights: configuration and index.
    package let documents: [String]

    package init(shard: Int, shardCount: Int, checksum: UInt64, documents: [String]) {
      self.shard = shard
      self.shardCount = shardCount
      self.checksum = checksum
      self.documents = documents
    }

    /// The checksum of a line `name checksum` for every stored tensor: shard by shard, in the byte
    /// order of the entries' names, weight before scales before biases.
    ///
    /// - Parameter shards: the manifests in the order of their shards.
    package static func digest(_ shards: [Manifest]) -> UInt64 {
      var hash = XXH64()
      for shard in shards {
        for entry in shard.tensorsByName {
          for stored in entry.stored {
            hash.update(Array("\(stored.name) \(stored.checksum.hexDigits)\n".utf8))
          }
        }
      }
      return hash.value
    }
  }

  /// Entries in the byte order of their names, as decant writes them; another writer may not.
  private var tensorsByName: [Entry] {
    func precedes(_ a: Entry, _ b: Entry) -> Bool {
      a.name.utf8.lexicographicallyPrecedes(b.name.utf8)
    }
    let isSorted = zip(tensors, tensors.dropFirst()).allSatisfy { precedes($0, $1) }
    return isSorted ? tensors : tensors.sorted(by: precedes)
  }
}

extension Manifest.Output {
  var json: JSONValue {
    [
      "shard": .integer(shard), "shards": .integer(shardCount),
      "xxh64": .string(checksum.hexDigits), "documents": .array(documents.map { .string($0) }),
    ]
  }

  /// Reads the member `output` of a manifest; nil where it is absent.
  init?(_ json: JSONValue?, _ reader: ManifestReader) throws {
    guard let json else { return nil }
    shard = try reader.integer(json["shard"], "output.shard")
    shardCount = try reader.integer(json["shards"], "output.shards")
    guard shard >= 1, shard <= shardCount else {
      throw reader.malformed("output.shard", "a number from 1 to output.shards")
    }
    checksum = try reader.checksum(json["xxh64"], "output.xxh64")
    documents = try reader.array(json["documents"], "output.documents").map {
      try reader.string($0, "output.documents")
    }
  }
}
