/// `model.safetensors.index.json`: which shard holds which tensor.
package struct ShardIndex: Sendable {
  /// File names in order, and the tensors that each should hold, as the index says.
  package let places: [(tensor: String, file: String)]
  /// Bytes of all tensors together, where the index says it.
  package let totalByteCount: Int?
  package let fileNames: [String]

  /// Largest index that is read, in bytes.
  private static let sizeLimit = 100_000_000

  /// - Throws: `SourceError.badIndex`, `.leavesDirectory`, or `FileError`.
  package init(path: String) throws {
    let bytes = try InputFile(path: path).readAll(limit: Self.sizeLimit)
    let json: JSONValue
    do {
      json = try JSONValue(parsing: bytes)
    } catch let error as JSONError {
      throw SourceError.badIndex(path: path, reason: "\(error.reason) (byte \(error.offset))")
    }
    guard let map = json["weight_map"]?.members else {
      throw SourceError.badIndex(path: path, reason: "no object 'weight_map'")
    }
    totalByteCount = json["metadata"]?["total_size"]?.intValue
    places = try map.map { member in
      guard let file = member.value.stringValue else {
        throw SourceError.badIndex(
          path: path, reason: "weight_map['\(member.name)'] is not a file name")
      }
      return (member.name, file)
    }
    fileNames = Array(Set(places.map(\.file))).sorted()
  }
}
