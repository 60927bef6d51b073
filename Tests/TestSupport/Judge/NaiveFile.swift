import Foundation

/// A safetensors file read whole, with a general parser of JSON and plain arrays.
package struct NaiveFile {
  package struct Tensor {
    package let type: String
    package let shape: [Int]
    package let bytes: [UInt8]

    /// The elements, row-major.
    package var values: [Double] { NaiveFloat.named(type).decode(bytes) }
  }

  package let tensors: [String: Tensor]
  /// In the order of their data.
  package let tensorsInOrder: [Tensor]
  package let metadata: [String: String]
  /// Length field and text of the header.
  package let headerBytes: [UInt8]

  package struct Unreadable: Error { let path: String }

  package init(path: String) throws {
    let file = try contents(of: path)
    let length = (0..<8).reduce(0) { $0 | Int(file[$1]) << (8 * $1) }
    let data = Array(file[(8 + length)...])
    guard var header = try Self.object(file[8..<8 + length]) else { throw Unreadable(path: path) }
    metadata = header.removeValue(forKey: "__metadata__") as? [String: String] ?? [:]
    headerBytes = Array(file[..<(8 + length)])
    var places: [String: [Int]] = [:]
    tensors = try header.mapValues { record in
      guard let record = record as? [String: Any], let type = record["dtype"] as? String,
        let shape = record["shape"] as? [Int], let range = record["data_offsets"] as? [Int]
      else { throw Unreadable(path: path) }
      return Tensor(type: type, shape: shape, bytes: Array(data[range[0]..<range[1]]))
    }
    for (name, record) in header {
      places[name] = (record as? [String: Any])?["data_offsets"] as? [Int]
    }
    tensorsInOrder = tensors.sorted {
      places[$0.key]!.lexicographicallyPrecedes(places[$1.key]!)
    }.map(\.value)
  }

  /// Empty where the file is not packed.
  package func manifest() throws -> [String: Any] {
    try Self.object((metadata["decant.manifest"] ?? "{}").utf8) ?? [:]
  }

  /// Entries of the manifest by tensor of the source.
  package func manifestEntries() throws -> [String: [String: Any]] {
    try manifest()["tensors"] as? [String: [String: Any]] ?? [:]
  }

  private static func object(_ text: some Sequence<UInt8>) throws -> [String: Any]? {
    try JSONSerialization.jsonObject(with: Data(text)) as? [String: Any]
  }
}
