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

  /// The shape of an entry's source.
  func shape(of entry: String) -> [Int] {
    manifest["tensors"]?[entry]?["source"]?["shape"]?.arrayValue?.compactMap(\.intValue) ?? []
  }

  mutating func editEntry(_ name: String, _ member: String, _ value: JSONValue?) {
    manifest["tensors"]?[name]?[member] = value
  }

  /// Changes what an entry says of the tensor's source or layout.
  mutating func editEntry(_ name: String, _ part: String, _ member: String, _ value: JSONValue?) {
    manifest["tensors"]?[name]?[part]?[member] = value
  }

  /// Adds a plan that chose what the entries have.
  ///
  /// - Parameter change: other members of a tensor's choice; nil for none.
  mutating func addPlan(_ change: (_ tensor: String) -> JSONValue? = { _ in nil }) {
    let choices = (manifest["tensors"]?.members ?? []).filter { entry in
      entry.value["layout"]?["name"] == "affine" || change(entry.name) != nil
    }.map { entry -> JSONValue in
      var choice: JSONValue = [
        "name": .string(entry.name), "keep": false,
        "bits": entry.value["layout"]?["bits"] ?? .null,
        "group_size": entry.value["layout"]?["group_size"] ?? .null,
      ]
      for member in change(entry.name)?.members ?? [] { choice[member.name] = member.value }
      return choice
    }
    manifest["plan"] = ["totals": ["tensor_bytes": 1], "tensors": .array(choices)]
  }

  /// Makes the digests of all tensors again, and that of them together, which is right for an
  /// output of one file.
  mutating func rehash() {
    for entry in manifest["tensors"]?.members ?? [] {
      for stored in entry.value["stored"]?.members ?? [] {
        let digits = Digest(of: Array(data[range(of: stored.name)])).hexDigits
        manifest["tensors"]?[entry.name]?["stored"]?[stored.name] = .string(digits)
      }
    }
    rehashOutput()
  }

  /// Makes the digest of all tensors together again.
  mutating func rehashOutput() {
    var lines = ""
    for entry in manifest["tensors"]?.members ?? [] {
      for stored in entry.value["stored"]?.members ?? [] {
        lines += "\(stored.name) \(stored.value.stringValue ?? "")\n"
      }
    }
    manifest["output"]?["digest"] = .string(Digest(of: Array(lines.utf8)).hexDigits)
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
