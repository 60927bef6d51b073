extension Manifest {
  /// The adapters that were merged into a packed checkpoint. Every file's manifest names all of
  /// them, and the originals of its own tensors.
  package struct Adapters: Sendable, Equatable {
    package var merged: [MergedAdapter]
    /// What was stored before the merge, kept in the file `originalsFile`; nil where it was not.
    package var originals: [StoredTensor]?

    /// Beside the packed files, under a name that no runtime takes for weights.
    package static let originalsFile = "decant-unmerged.safetensors"

    package init(merged: [MergedAdapter], originals: [StoredTensor]?) {
      self.merged = merged
      self.originals = originals
    }
  }

  package struct MergedAdapter: Sendable, Equatable {
    /// Name of its directory.
    package let name: String
    /// XXH64 of its weight file and of its configuration.
    package let checksum: UInt64
    package let configChecksum: UInt64
    /// How strongly it counts; 1 alone.
    package let weight: Double
    package let modules: [Module]

    package init(
      name: String, checksum: UInt64, configChecksum: UInt64, weight: Double, modules: [Module]
    ) {
      self.name = name
      self.checksum = checksum
      self.configChecksum = configChecksum
      self.weight = weight
      self.modules = modules
    }

    /// One low-rank pair, or a tensor that replaced the base's.
    package struct Module: Sendable, Equatable {
      package let name: String
      /// `lora`, `dora`, `qalora`, `peqa`, or `replaced` for a tensor that was trained as a whole.
      package let kind: String
      package let rank: Int?
      package let alpha: Double?
      /// The factor of B·A before pooling, without the adapter's weight.
      package let scaling: Double?
      /// `mean`, `sum` or `peft`, and the inputs in a group, where inputs were pooled.
      package let pooling: String?
      package let groupSize: Int?

      package init(
        name: String, kind: String, rank: Int? = nil, alpha: Double? = nil,
        scaling: Double? = nil, pooling: String? = nil, groupSize: Int? = nil
      ) {
        self.name = name
        self.kind = kind
        self.rank = rank
        self.alpha = alpha
        self.scaling = scaling
        self.pooling = pooling
        self.groupSize = groupSize
      }
    }
  }
}

extension Manifest.Adapters {
  var json: JSONValue {
    var json: JSONValue = ["merged": .array(merged.map(\.json))]
    if let originals {
      json["originals"] = .object(
        originals.map { .init($0.name, .string($0.digest.hexDigits)) })
    }
    return json
  }

  /// Reads the member `adapters` of a manifest; nil where it is absent.
  init?(_ json: JSONValue?, _ reader: ManifestReader) throws {
    guard let json else { return nil }
    merged = try reader.array(json["merged"], "adapters.merged").enumerated().map {
      try reader.mergedAdapter($1, "adapters.merged[\($0)]")
    }
    originals = try json["originals"].map { originals in
      try reader.members(originals, "adapters.originals").map { member in
        Manifest.StoredTensor(
          name: member.name,
          digest: Digest(
            reader.rule,
            try reader.checksum(member.value, "adapters.originals['\(member.name)']")))
      }
    }
  }
}

extension Manifest.MergedAdapter {
  fileprivate var json: JSONValue {
    [
      "name": .string(name), "xxh64": .string(checksum.hexDigits),
      "config_xxh64": .string(configChecksum.hexDigits), "weight": .double(weight),
      "modules": .object(
        modules.map { module in
          var json: JSONValue = ["kind": .string(module.kind)]
          if let rank = module.rank { json["rank"] = .integer(rank) }
          if let alpha = module.alpha { json["alpha"] = .double(alpha) }
          if let scaling = module.scaling { json["scaling"] = .double(scaling) }
          if let pooling = module.pooling { json["pooling"] = .string(pooling) }
          if let size = module.groupSize { json["group_size"] = .integer(size) }
          return .init(module.name, json)
        }),
    ]
  }
}

extension ManifestReader {
  fileprivate func mergedAdapter(
    _ json: JSONValue, _ place: String
  ) throws -> Manifest.MergedAdapter {
    func finite(_ value: JSONValue?, _ name: String) throws -> Double? {
      guard let value else { return nil }
      guard let number = value.doubleValue, number.isFinite else {
        throw malformed(name, "a number")
      }
      return number
    }
    guard let weight = try finite(json["weight"], place + ".weight") else {
      throw malformed(place + ".weight", "a number")
    }
    return Manifest.MergedAdapter(
      name: try string(json["name"], place + ".name"),
      checksum: try checksum(json["xxh64"], place + ".xxh64"),
      configChecksum: try checksum(json["config_xxh64"], place + ".config_xxh64"),
      weight: weight,
      modules: try members(json["modules"], place + ".modules").map { member in
        let inner = place + ".modules['\(member.name)']"
        let module = member.value
        return Manifest.MergedAdapter.Module(
          name: member.name, kind: try string(module["kind"], inner + ".kind"),
          rank: try module["rank"].map { try integer($0, inner + ".rank") },
          alpha: try finite(module["alpha"], inner + ".alpha"),
          scaling: try finite(module["scaling"], inner + ".scaling"),
          pooling: try module["pooling"].map { try string($0, inner + ".pooling") },
          groupSize: try module["group_size"].map { try integer($0, inner + ".group_size") })
      })
  }
}
