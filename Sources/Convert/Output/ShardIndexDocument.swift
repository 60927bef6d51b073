import Formats

/// `model.safetensors.index.json` for files that are about to be written.
enum ShardIndexDocument {
  static func make(_ files: [(name: String, layout: WeightFileLayout)]) -> JSONValue {
    let places = files.flatMap { file in file.layout.places.map { ($0.name, file.name) } }
      .sorted { $0.0.utf8.lexicographicallyPrecedes($1.0.utf8) }
    let total = files.reduce(0) { $0 + $1.layout.dataByteCount }
    return [
      "metadata": ["total_size": .integer(total)],
      "weight_map": .object(places.map { .init($0.0, .string($0.1)) }),
    ]
  }
}
