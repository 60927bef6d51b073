import Formats

/// A small JSON file of an output directory that is made rather than copied.
struct OutputDocument {
  let name: String
  let bytes: [UInt8]

  static let config = "config.json"
  static let index = "model.safetensors.index.json"

  /// Those that an output has.
  static func names(isDirectory: Bool, hasConfig: Bool, fileCount: Int) -> [String] {
    guard isDirectory else { return [] }
    return (hasConfig ? [config] : []) + (fileCount > 1 ? [index] : [])
  }

  /// The index of an output's files; none where there is one file.
  static func index(of files: [PlannedFile]) -> [OutputDocument] {
    guard files.count > 1 else { return [] }
    return [OutputDocument(index, ShardIndexDocument.make(files))]
  }

  init(_ name: String, _ json: JSONValue) {
    self.name = name
    bytes = Array(json.prettyText.utf8)
  }

  /// Creates the file in `directory` and syncs it.
  func write(into directory: String) throws(FileError) {
    let file = try OutputFile(creating: directory + "/" + name)
    try file.write(bytes, 0..<bytes.count, at: 0)
    try file.synchronize()
  }
}
