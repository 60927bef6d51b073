import Formats
import Model

/// Which tensors an output is made of, under which names.
package enum TensorArrangement: Sendable {
  /// Those of the checkpoint.
  case asStored
  /// Those that mlx-lm's loader takes.
  case mlx
  /// Those that were written before.
  case recorded([Manifest.Entry])
  /// Those that llama.cpp takes.
  case gguf

  /// What a packed checkpoint says, or what mlx-lm would have made of its source.
  init(of packed: PackedCheckpoint) {
    self = packed.isRecorded ? .recorded(packed.tensors.map(\.entry)) : .mlx
  }
}

/// The tensors of a checkpoint as they are arranged for an output.
struct ArrangedSource: Sendable {
  /// In the order of the checkpoint, each where the first that it is made of stands.
  let tensors: [SourceTensor]
  /// Why tensors of these names are kept as they are, or left out.
  var kept: [String: String] = [:]
  var dropped: [String: String] = [:]
  /// What llama.cpp is told of the model, where it is arranged for that.
  private(set) var gguf: GGUFModel?

  /// - Parameters:
  ///   - sources: all that the checkpoint holds.
  ///   - redundantHead: a head that equals the embedding.
  /// - Throws: for llama.cpp, `ArchitectureError` and `GGUFModelError` where it has no such model.
  init(
    _ sources: [SourceTensor], of checkpoint: Checkpoint, _ arrangement: TensorArrangement,
    redundantHead: String?
  ) throws {
    switch arrangement {
    case .asStored: self.init(sources, sources.indices.map { .same($0) })
    case .mlx: self.init(sources, Self.items(sources, checkpoint))
    case .recorded(let entries):
      self.init(sources, Self.items(sources, checkpoint, recorded: entries))
    case .gguf:
      guard let config = checkpoint.configDocument?.json else {
        throw ArchitectureError.noConfiguration
      }
      let model = try GGUFModel(
        DecoderDescription(config: config), tensors: Self.listed(sources, checkpoint),
        redundantHead: redundantHead)
      self.init(sources, model.items)
      gguf = model
    }
  }

  private init(_ sources: [SourceTensor], _ items: [ArrangedItem]) {
    var kept: [String: String] = [:]
    var dropped: [String: String] = [:]
    tensors = items.map { item in
      switch item {
      case .same(let place): return sources[place]
      case .keep(let place, let reason):
        kept[sources[place].name] = reason
        return sources[place]
      case .drop(let place, let reason):
        dropped[sources[place].name] = reason
        return sources[place]
      case .made(let made, let places):
        return SourceTensor(made, of: places.map { sources[$0] })
      }
    }
    self.kept = kept
    self.dropped = dropped
  }

  private static func items(
    _ sources: [SourceTensor], _ checkpoint: Checkpoint
  ) -> [ArrangedItem] {
    // Before every tensor is looked at for the order of its matrix.
    guard MLXArrangement.knows(checkpoint.config) else { return sources.indices.map { .same($0) } }
    return MLXArrangement(
      config: checkpoint.config, tensors: listed(sources, checkpoint)
    ).items
  }

  private static func listed(
    _ sources: [SourceTensor], _ checkpoint: Checkpoint
  ) -> [ListedTensor] {
    let naming = TensorNaming(
      config: checkpoint.config, tensors: sources.map { ($0.name, $0.dimensions) })
    return sources.map { tensor in
      .init(
        name: tensor.name, dtype: tensor.dtype, shape: tensor.shape,
        order: naming.identify(
          name: tensor.name, dtype: tensor.dtype, shape: tensor.dimensions,
          order: tensor.knownOrder
        ).order, isPacked: tensor.isPacked,
        isMade: tensor.origin != nil
          || tensor.isPacked && !tensor.isPublishedPacked && tensor.recorded[0] == nil)
    }
  }

  /// What was made is made again of what the record names; what it does not name, and what was left
  /// out, is left out again.
  private static func items(
    _ sources: [SourceTensor], _ checkpoint: Checkpoint, recorded entries: [Manifest.Entry]
  ) -> [ArrangedItem] {
    let places = Dictionary(
      sources.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    let present = Set(entries.map(\.name))
    var items: [ArrangedItem] = []
    var isUsed = Set<Int>()
    for entry in entries {
      guard let origin = entry.origin else { continue }
      // A source that is packed itself may hold it as it is.
      if let place = places[entry.name], sources[place].origin == origin { continue }
      guard origin.names.count <= sources.count else { continue }
      let used = origin.names.all.compactMap { places[$0] }
      guard used.count == origin.names.count,
        used.allSatisfy({ sources[$0].shape == origin.shape && sources[$0].gives(origin) })
      else { continue }
      isUsed.formUnion(used)
      items.append(
        .made(.init(name: entry.name, shape: entry.sourceShape, origin: origin), from: used))
    }
    let dropped = Dictionary(
      Self.items(sources, checkpoint).compactMap { item in
        if case .drop(let place, let reason) = item { (place, reason) } else { nil }
      }, uniquingKeysWith: { first, _ in first })
    for (place, source) in sources.enumerated() where !isUsed.contains(place) {
      if let reason = dropped[place], !present.contains(source.name) {
        items.append(.drop(place, reason: reason))
      } else {
        items.append(.same(place))
      }
    }
    return items
  }
}

extension SourceTensor {
  /// Whether what an origin takes of it can be read: of what is packed, whole rows of its own matrices.
  fileprivate func gives(_ origin: TensorOrigin) -> Bool {
    guard let packing else { return true }
    return origin.inputs == nil && origin.stored?.whole == packing.shape
  }
}
