import Formats

/// A small JSON file of an output directory that is made rather than copied.
struct OutputDocument {
  let name: String
  let bytes: [UInt8]

  static let config = "config.json"
  static let index = "model.safetensors.index.json"

  /// Those of an output directory with these weight files: the configuration where there is one, and
  /// the index where there are several files.
  static func all(
    config: JSONValue?, files: [(name: String, layout: WeightFileLayout)]
  ) -> [OutputDocument] {
    var documents = config.map { [OutputDocument(Self.config, $0)] } ?? []
    if files.count > 1 { documents.append(.init(index, ShardIndexDocument.make(files))) }
    return documents
  }

  private init(_ name: String, _ json: JSONValue) {
    self.name = name
    bytes = Array(json.prettyText.utf8)
  }

  /// As a manifest records it.
  var recorded: Manifest.Output.Document {
    .recorded(.init(name: name, byteCount: bytes.count, digest: Digest(of: bytes)))
  }

  /// Creates the file in `directory` and syncs it.
  func write(into directory: String) throws(FileError) {
    let file = try OutputFile(creating: directory + "/" + name)
    try file.write(bytes, 0..<bytes.count, at: 0)
    try file.synchronize()
  }
}
