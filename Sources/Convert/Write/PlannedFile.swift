import Formats

/// A file of an output before its first byte is written: which tensors it holds, and its exact size.
package struct PlannedFile: Sendable {
  package let name: String
  /// Indexes of the tensors in it, into those of the whole output.
  package let tensors: [Int]
  package let layout: WeightFileLayout
  /// With nothing measured yet; nil for a file that is not packed.
  package let manifest: Manifest?
  /// Metadata of a file without a manifest.
  private let metadata: [(name: String, value: String)]
  /// Everything before the data, with nothing measured yet; its size is final.
  package let blankHeader: [UInt8]

  init(
    name: String, tensors: [Int], layout: WeightFileLayout, manifest: Manifest?,
    metadata: [(name: String, value: String)] = []
  ) {
    self.name = name
    self.tensors = tensors
    self.layout = layout
    self.manifest = manifest
    self.metadata = metadata
    blankHeader = layout.header(
      metadata: manifest.map { $0.metadata + layout.packedMetadata } ?? metadata)
  }

  package var byteCount: Int { blankHeader.count + layout.dataByteCount }

  /// The header once everything is measured, sealed if it carries a checksum of itself.
  func header(_ manifest: Manifest?) -> [UInt8] {
    let metadata = manifest.map { $0.metadata + layout.packedMetadata } ?? metadata
    var header = layout.header(metadata: metadata)
    precondition(header.count == blankHeader.count, "a header keeps its planned size")
    if metadata.contains(where: { $0.name == Manifest.headerChecksumKey }) {
      layout.seal(&header)
    }
    return header
  }
}
