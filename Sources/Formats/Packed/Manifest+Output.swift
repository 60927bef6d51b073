extension Manifest {
  /// Which output a file belongs to, and which part of it the file is. Every shard carries the same
  /// but for its number, so that shards of different outputs cannot pass for one.
  package struct Output: Sendable, Equatable {
    /// Counted from 1.
    package let shard: Int
    package let shardCount: Int
    /// Of the lines of all shards; see `digest(_:of:)`.
    package var digest: Digest
    /// The files that decant made beside the weights: configuration and index.
    package let documents: [Document]

    package init(shard: Int, shardCount: Int, digest: Digest, documents: [Document]) {
      self.shard = shard
      self.shardCount = shardCount
      self.digest = digest
      self.documents = documents
    }

    package enum Document: Sendable, Equatable {
      /// All that version 1 says of one.
      case named(String)
      case recorded(RecordedFile)

      package var name: String {
        switch self {
        case .named(let name): name
        case .recorded(let file): file.name
        }
      }
    }

    /// The digest of a line `name digits` for every stored tensor: shard by shard, in the byte order
    /// of the entries' names, weight before scales before biases.
    ///
    /// - Parameter shards: the manifests in the order of their shards.
    package static func digest(_ rule: Digest.Rule, of shards: [Manifest]) -> Digest {
      var hasher = DigestHasher(rule)
      for shard in shards {
        for entry in shard.tensorsByName {
          for stored in entry.stored {
            let line = Array("\(stored.name) \(stored.digest.hexDigits)\n".utf8)
            hasher.update(line, 0..<line.count)
          }
        }
      }
      return hasher.digest
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
      "digest": .string(digest.hexDigits), "documents": .array(documents.map(\.json)),
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
    digest = try reader.digest(json, "output", reader.rule)
    documents = try reader.array(json["documents"], "output.documents").enumerated().map {
      let place = "output.documents[\($0)]"
      return reader.version == 1
        ? .named(try reader.string($1, place)) : .recorded(try reader.recordedFile($1, place))
    }
  }
}

extension Manifest.Output.Document {
  fileprivate var json: JSONValue {
    switch self {
    case .named(let name): .string(name)
    case .recorded(let file): file.json
    }
  }
}
