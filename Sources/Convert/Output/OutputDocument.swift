import Formats

/// A small JSON file of an output directory that is made rather than copied.
struct OutputDocument {
  let name: String
  let bytes: [UInt8]

  init(_ name: String, _ json: JSONValue) {
    self.name = name
    bytes = Array(json.prettyText.utf8)
  }

  /// Creates the file in `directory` and syncs it.
  func write(into directory: String) throws(FileError) {
    let file = try OutputFile(creating: directory + "/" + name)
    try file.write(bytes, count: bytes.count, at: 0)
    try file.synchronize()
  }
}
