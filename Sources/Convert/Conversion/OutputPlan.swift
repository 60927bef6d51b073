import Formats
import Model

/// The files of a conversion: which tensors each holds, and its exact size.
package struct OutputPlan: Sendable {
  package let files: [PlannedFile]
  /// What is made beside them.
  let documents: [OutputDocument]
  package var dataByteCount: Int { files.reduce(0) { $0 + $1.layout.dataByteCount } }
  package var byteCount: Int { files.reduce(0) { $0 + $1.byteCount } }

  /// - Throws: `GGUFError.Violation` for tensors that a GGUF file cannot hold.
  package init(_ plan: ConversionPlan, for destination: Destination) throws {
    let shards = destination.shards(
      plan.tensors.indices.filter { plan.tensors[$0].action != .drop },
      sizes: { plan.tensors[$0].storedByteCount })
    let sources = zip(plan.checkpoint.fileNames, plan.checkpoint.files).map { name, file in
      Manifest.RecordedFile(name: name, byteCount: file.input.byteCount, digest: .blank)
    }
    let weights = try shards.enumerated().map { position, indexes in
      let tensors = indexes.map { plan.tensors[$0] }
      return (
        name: destination.fileName(position, of: shards.count),
        layout: try plan.gguf?.layout(tensors, plan.options.ggufTypes)
          ?? .safetensors(SafetensorsLayout(tensors.flatMap(\.stored)))
      )
    }
    let derived = plan.tensors.count..<plan.tensors.count + (plan.gguf?.model.derived.count ?? 0)
    let documents = destination.documents(
      config: plan.checkpoint.config.map { PackedConfig.document($0, plan: plan) },
      files: weights)
    self.documents = documents
    let recorded = documents.map(\.recorded)
    files = shards.enumerated().map { position, indexes in
      let tensors = indexes.map { plan.tensors[$0] }
      let entries = tensors.map { $0.manifestEntry(method: plan.options.method) }
      var manifest = Manifest(
        decantVersion: decantVersion,
        tensors: entries.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) },
        sources: sources, options: plan.gguf == nil ? plan.options.json : plan.options.ggufJSON,
        plan: plan.options.plan?.manifestJSON(tensors: Set(tensors.map(\.name))),
        adapters: plan.adapters)
      manifest.folds =
        plan.folding?.records(of: Set(tensors.flatMap { $0.tensor.parts.map(\.name) })) ?? []
      manifest.carried = destination.recorded
      manifest.output = Manifest.Output(
        shard: position + 1, shardCount: shards.count, digest: .blank, documents: recorded)
      return PlannedFile(
        name: weights[position].name, tensors: indexes + derived, layout: weights[position].layout,
        manifest: manifest)
    }
  }
}

/// The version that `--version` prints and manifests record.
package let decantVersion = "0.1.0"
/// The day of that version, which manual pages show.
package let decantVersionDate = "2026-11-28"
