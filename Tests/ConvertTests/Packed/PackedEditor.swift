import Formats
import Foundation

@testable import Convert

/// A packed file taken apart, to be spoiled and written again. Its checksums are made again only
/// where a test asks for it.
struct PackedEditor {
  let path: String
  var header: JSONValue
  var manifest: JSONValue
  var data: [UInt8]

  init(_ path: String) throws {
    self.path = path
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    let length = (0..<8).reduce(0) { $0 + Int(bytes[$1]) << (8 * $1) }
    header = try JSONValue(parsing: Array(bytes[8..<8 + length]))
    data = Array(bytes[(8 + length)...])
    let text = header["__metadata__"]?[Manifest.manifestKey]?.stringValue ?? "{}"
    manifest = try JSONValue(parsing: Array(text.utf8))
  }

  /// Where a tensor's bytes lie in `data`.
  func range(of tensor: String) -> Range<Int> {
    let offsets = header[tensor]?["data_offsets"]?.arrayValue?.compactMap(\.intValue) ?? [0, 0]
    return offsets[0]..<offsets[1]
  }

  mutating func editEntry(_ name: String, _ member: String, _ value: JSONValue?) {
    manifest["tensors"]?[name]?[member] = value
  }

  /// Makes the checksums of all tensors again, and that of them together, which is right for an
  /// output of one file.
  mutating func rehash() {
    var lines = ""
    for entry in manifest["tensors"]?.members ?? [] {
      for stored in entry.value["xxh64"]?.members ?? [] {
        let digits = XXH64.digest(Array(data[range(of: stored.name)])).hexDigits
        manifest["tensors"]?[entry.name]?["xxh64"]?[stored.name] = .string(digits)
        lines += stored.name + " " + digits + "\n"
      }
    }
    manifest["output"]?["xxh64"] = .string(XXH64.digest(Array(lines.utf8)).hexDigits)
  }

  /// - Parameter sealing: whether the header's own checksum is made again.
  func write(sealing: Bool = true, keepingManifest: Bool = true) throws {
    var header = header
    if keepingManifest {
      header["__metadata__"]?[Manifest.manifestKey] = .string(manifest.compactText)
    }
    if sealing, header["__metadata__"]?[Manifest.headerChecksumKey] != nil {
      header["__metadata__"]?[Manifest.headerChecksumKey] = .string(HeaderChecksum.placeholder)
    }
    var text = Array(header.compactText.utf8)
    text += [UInt8](repeating: UInt8(ascii: " "), count: (8 - text.count % 8) % 8)
    var bytes = (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) } + text
    if sealing, header["__metadata__"]?[Manifest.headerChecksumKey] != nil {
      HeaderChecksum.seal(&bytes)
    }
    try Data(bytes + data).write(to: URL(fileURLWithPath: path))
  }
}
