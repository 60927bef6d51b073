/// Writes a dump while it is captured.
package final class DumpWriter {
  private let file: SafetensorsAppender
  /// Chunks of each subject so far.
  private var chunkCounts: [String: Int] = [:]

  /// Characters of a chunk's number, with its dot.
  private static let chunkLength = 12

  /// Creates the file; one that is there already is an error.
  ///
  /// - Parameters:
  ///   - tensorLimit: the most tensors that there will be.
  ///   - nameLength: of the longest name, in bytes, without a chunk's number.
  ///   - metadataLength: of all metadata, in bytes.
  package init(
    creating path: String, tensorLimit: Int, nameLength: Int, metadataLength: Int
  ) throws(FileError) {
    file = try SafetensorsAppender(
      creating: path, tensorLimit: tensorLimit, nameLength: nameLength + Self.chunkLength,
      metadataLength: metadataLength)
  }

  /// Adds the next tokens of a subject, F32.
  ///
  /// - Parameters:
  ///   - name: as the convention has it, without a chunk.
  ///   - values: `[tokens] + tokenShape`, row-major.
  package func append(
    _ name: String, tokenShape: [Int], _ values: Span<Float>
  ) throws(FileError) {
    let width = tokenShape.reduce(1, *)
    let chunk = chunkCounts[name, default: 0]
    chunkCounts[name] = chunk + 1
    try file.append(
      chunk == 0 ? name : "\(name).\(chunk)", shape: [values.count / width] + tokenShape, values)
  }

  /// Writes the header, after which the file is a dump.
  package func finish(metadata: [(name: String, value: String)]) throws(FileError) {
    try file.finish(metadata: metadata)
  }

  /// Waits until everything is on the disk.
  package func synchronize() throws(FileError) { try file.synchronize() }
}
