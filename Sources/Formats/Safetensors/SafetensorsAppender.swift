/// Writes a safetensors file of which nobody knows at the beginning how many tensors it will have.
///
/// The header gets a room of its own before the data, and what it does not need of it is spaces, which the
/// format allows at its end.
package final class SafetensorsAppender {
  private let file: OutputFile
  private let headerRoom: Int
  private var tensors: [TensorInfo] = []
  private var bytes: [UInt8] = []
  private var dataByteCount = 0

  /// Bytes of a piece that is written at once.
  private static let pieceByteCount = 1 << 20

  /// Creates the file; one that is there already is an error.
  ///
  /// - Parameters:
  ///   - tensorLimit: the most tensors that there will be.
  ///   - nameLength: of the longest name, in bytes.
  ///   - metadataLength: of all metadata, in bytes.
  package init(
    creating path: String, tensorLimit: Int, nameLength: Int, metadataLength: Int
  ) throws(FileError) {
    file = try OutputFile(creating: path)
    // An entry has a name, four dimensions at most and two offsets; a character of a name is six when it
    // is escaped.
    headerRoom = (tensorLimit * (6 * nameLength + 160) + 6 * metadataLength + 4096) & ~7
  }

  /// Adds an F32 tensor.
  ///
  /// - Parameter values: row-major.
  /// - Returns: of its bytes.
  @discardableResult
  package func append(
    _ name: String, shape: [Int], _ values: Span<Float>
  ) throws(FileError) -> Digest {
    try append(name, .f32, shape, byteCount: 4 * values.count) { range, bytes in
      var output = bytes.mutableSpan
      let first = range.lowerBound / 4
      for index in 0..<range.count / 4 {
        output.store(values[first + index].bitPattern, index: index)
      }
    }
  }

  /// Adds bytes, as a tensor of U8.
  ///
  /// - Returns: of them.
  @discardableResult
  package func append(_ name: String, _ content: [UInt8]) throws(FileError) -> Digest {
    try append(name, .u8, [content.count], byteCount: content.count) { range, bytes in
      for index in 0..<range.count { bytes[index] = content[range.lowerBound + index] }
    }
  }

  private func append(
    _ name: String, _ dtype: DType, _ shape: [Int], byteCount: Int,
    _ fill: (Range<Int>, inout [UInt8]) -> Void
  ) throws(FileError) -> Digest {
    let end = dataByteCount + byteCount
    tensors.append(
      TensorInfo(
        name: name, dtype: dtype, shape: shape.map { UInt64($0) }, dataRange: dataByteCount..<end))
    var hasher = DigestHasher()
    var done = 0
    while done < byteCount {
      let count = min(Self.pieceByteCount, byteCount - done)
      bytes.grow(to: count, filler: 0)
      fill(done..<done + count, &bytes)
      hasher.update(bytes, 0..<count)
      try file.write(bytes, 0..<count, at: 8 + headerRoom + dataByteCount + done)
      done += count
    }
    dataByteCount = end
    return hasher.digest
  }

  /// Writes the header, after which the file is complete.
  package func finish(metadata: [(name: String, value: String)]) throws(FileError) {
    let header = SafetensorsLayout.header(of: tensors, metadata: metadata, byteCount: headerRoom)
    try file.write(header, 0..<header.count, at: 0)
  }

  /// Waits until everything is on the disk.
  package func synchronize() throws(FileError) { try file.synchronize() }
}
