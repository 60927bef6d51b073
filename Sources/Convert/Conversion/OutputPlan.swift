import Formats
import Model

/// The files of a conversion: which tensors each holds, and its exact size.
package struct OutputPlan: Sendable {
  package let files: [PlannedFile]
  package var dataByteCount: Int { files.reduce(0) { $0 + $1.layout.dataByteCount } }
  package var byteCount: Int { files.reduce(0) { $0 + $1.byteCount } }

  /// - Parameters:
  ///   - singleFileName: the name where the output is one file, whatever its size; nil for a
  ///     directory, sharded where the limit asks for it.
  ///   - carried: the files that will go along, without their checksums.
  package init(
    _ plan: ConversionPlan, singleFileName: String? = nil, carried: [Manifest.SourceFile] = []
  ) {
    let limit = singleFileName == nil ? plan.options.shardLimit : Int.max
    let shards = Sharding.split(
      plan.tensors.indices.filter { plan.tensors[$0].action != .drop },
      sizes: { plan.tensors[$0].storedByteCount }, limit: limit)
    let sources = zip(plan.checkpoint.fileNames, plan.checkpoint.files).map { name, file in
      Manifest.SourceFile(name: name, byteCount: file.input.byteCount, checksum: 0)
    }
    let documents = OutputDocument.names(
      isDirectory: singleFileName == nil, hasConfig: plan.checkpoint.config != nil,
      fileCount: shards.count)
    files = shards.enumerated().map { position, indexes in
      let tensors = indexes.map { plan.tensors[$0] }
      let entries = tensors.map {
        $0.manifestEntry(
          method: plan.options.method, countsZeroed: plan.options.nonFinite == .zero)
      }
      var manifest = Manifest(
        decantVersion: decantVersion,
        tensors: entries.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) },
        sources: sources, options: plan.options.json,
        plan: plan.options.plan?.manifestJSON(tensors: Set(tensors.map(\.name))),
        adapters: plan.adapters)
      manifest.carried = carried
      manifest.output = Manifest.Output(
        shard: position + 1, shardCount: shards.count, checksum: 0, documents: documents)
      return PlannedFile(
        name: singleFileName ?? Sharding.fileName(position, of: shards.count), tensors: indexes,
        layout: SafetensorsLayout(tensors.flatMap(\.stored)), manifest: manifest)
    }
  }
}

/// The version that `--version` prints and manifests record.
package let decantVersion = "0.1.0"
