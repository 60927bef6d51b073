import Formats
import Model

/// Decodes a packed checkpoint to an ordinary one, of the shapes and names of its source.
package struct Unpacker {
  private let packed: PackedCheckpoint
  private let writer: CheckpointWriter
  private let destination: Destination

  /// - Parameter type: of the decoded weights; nil for the type in which each was packed. Tensors
  ///   that were kept stay as they are.
  package init(
    _ packed: PackedCheckpoint, target: OutputTarget, type: ScaleType?, shardLimit: Int
  ) throws {
    self.packed = packed
    let destination = try Destination(target, source: packed.checkpoint, shardLimit: shardLimit)
    self.destination = destination
    let producers =
      packed.tensors.filter { $0.entry.origin == nil }
      .map { Self.producer(of: $0, in: packed, type) }
      + (try Self.restored(packed, type))
    let requests = producers.map { $0.parts[0] }
    let shards = destination.shards(
      Array(requests.indices), sizes: { SafetensorsLayout([requests[$0]]).dataByteCount })
    let files = shards.enumerated().map { position, indexes in
      PlannedFile(
        name: destination.fileName(position, of: shards.count),
        tensors: indexes, layout: .safetensors(SafetensorsLayout(indexes.map { requests[$0] })),
        manifest: nil,
        metadata: [("decant.unpacked_by", decantVersion), ("format", "pt")])
    }
    writer = CheckpointWriter(files: files, producers: producers)
  }

  private static func producer(
    of tensor: PackedCheckpoint.Tensor, in packed: PackedCheckpoint, _ type: ScaleType?
  ) -> any TensorProducer {
    let reads = packed.readParts(tensor)
    guard let storage = packed.packedStorage(tensor) else {
      return CopiedTensor(reads[0], name: tensor.entry.name)
    }
    return EncodedTensor(
      packed.source(tensor, storage), reads: reads, as: type ?? storage.decodedType,
      shape: tensor.entry.sourceShape, order: tensor.entry.order, option: "--dtype")
  }

  /// The tensors that others hold, in whole or in parts, under other names.
  private static func restored(
    _ packed: PackedCheckpoint, _ type: ScaleType?
  ) throws -> [any TensorProducer] {
    var isRead = Set<String>()
    return try RestoredTensor.all(of: packed).map { tensor in
      // What holds several is checked once.
      let reads = tensor.parts.map(\.tensor).filter { isRead.insert($0.entry.name).inserted }
        .flatMap(packed.readParts)
      let part = tensor.parts[0].tensor
      let isPacked = tensor.parts.contains { $0.tensor.entry.layout != .plain }
      if !isPacked, let origin = part.entry.origin, origin.keepsElements, origin.changes.isEmpty,
        !origin.names.isNumbered
      {
        return CopiedTensor(reads[0], name: tensor.name, shape: tensor.shape)
      }
      let storage = try RestoredStorage(tensor, in: packed)
      let types = tensor.parts.map { part in
        packed.packedStorage(part.tensor)?.decodedType
          ?? ScaleType(part.tensor.stored[0].info.dtype)
      }
      guard let first = types[0], !types.contains(nil) else {
        throw PackedError.originIncomplete(file: packed.path(of: part), tensor: tensor.name)
      }
      // One that holds them all.
      let own = types.allSatisfy { $0 == first } ? first : .f32
      return EncodedTensor(
        WeightSource(
          name: tensor.name, file: packed.checkpoint.fileName(of: part.stored[0]),
          storage: storage), reads: reads, as: isPacked ? type ?? own : own,
        shape: tensor.shape, order: tensor.order, option: "--dtype")
    }
  }

  /// Bytes of the decoded tensors.
  package var byteCount: Int { writer.byteCount }

  /// Writes the checkpoint under a temporary name, syncs it, and gives it its own.
  ///
  /// - Throws: `PackedError.damagedTensor` where what is packed is not what was recorded;
  ///   `ConversionError.overflow`, `OutputError`, `FileError`, `CancellationError`.
  package func run(replacing: Bool, _ context: RunContext) throws {
    let result = StagedResult(
      destination: destination, documents: documents(), recorded: packed.carried,
      inputs: packed.checkpoint.inputs)
    try result.check(
      source: packed.checkpoint, replacing: replacing, weights: writer.files.map(\.name))
    try result.write(replacing: replacing, context.cancellation) { directory, _ in
      _ = try writer.run(into: directory, context)
    }
  }

  /// Configuration without the quantization, and the index where there are several files.
  private func documents() -> [OutputDocument] {
    var config = packed.checkpoint.config?.document
    config?["quantization"] = nil
    config?["quantization_config"] = nil
    return destination.documents(
      config: config, files: writer.files.map { ($0.name, $0.layout) })
  }
}
