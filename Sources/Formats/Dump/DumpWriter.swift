/// Writes a dump while it is captured: how many tensors there will be is not known at the beginning.
///
/// The header gets a room of its own before the data, and what it does not need of it is spaces, which the
/// format allows at its end.
package final class DumpWriter {
  private let file: OutputFile
  private let headerRoom: Int
  private var tensors: [TensorInfo] = []
  /// Chunks of each subject so far.
  private var chunkCounts: [String: Int] = [:]
  private var bytes: [UInt8] = []
  private var dataByteCount = 0

  /// Bytes of a piece that is written at once.
  private static let pieceByteCount = 1 << 20

  /// Creates the file; one that is there already is an error.
  ///
  /// - Parameters:
  ///   - tensorLimit: the most tensors that there will be.
  ///   - nameLength: of the longest name, in bytes, without a chunk's number.
  ///   - metadataLength: of all metadata, in bytes.
  package init(
    creating path: String, tensorLimit: Int, nameLength: Int, metadataLength: Int
  ) throws(FileError) {
    file = try OutputFile(creating: path)
    // An entry has a name, a chunk's number, three dimensions and two offsets; a character of a name is
    // six when it is escaped.
    headerRoom = (tensorLimit * (6 * nameLength + 160) + 6 * metadataLength + 4096) & ~7
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
    let end = dataByteCount + 4 * values.count
    tensors.append(
      TensorInfo(
        name: chunk == 0 ? name : "\(name).\(chunk)", dtype: .f32,
        shape: [UInt64(values.count / width)] + tokenShape.map { UInt64($0) },
        dataRange: dataByteCount..<end))
    var done = 0
    while done < values.count {
      let count = min(Self.pieceByteCount / 4, values.count - done)
      bytes.grow(to: 4 * count, filler: 0)
      var output = bytes.mutableSpan
      for index in 0..<count { output.store(values[done + index].bitPattern, index: index) }
      try file.write(bytes, 0..<4 * count, at: 8 + headerRoom + dataByteCount + 4 * done)
      done += count
    }
    dataByteCount = end
  }

  /// Writes the header, after which the file is a dump.
  package func finish(metadata: [(name: String, value: String)]) throws(FileError) {
    let header = SafetensorsLayout.header(of: tensors, metadata: metadata, byteCount: headerRoom)
    try file.write(header, 0..<header.count, at: 0)
  }
}
