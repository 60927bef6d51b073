/// An open safetensors file: its validated header, and its tensors' bytes on request.
package struct SafetensorsFile: Sendable {
  package let input: InputFile
  package let header: SafetensorsHeader
  /// The length field and the header's text, as they stand in the file.
  package let headerBytes: [UInt8]

  package var path: String { input.path }

  /// - Throws: `FileError` where the file cannot be read, `SafetensorsError` where it breaks a
  ///   rule of the format.
  package init(path: String) throws {
    try self.init(InputFile(path: path))
  }

  package init(_ input: InputFile) throws {
    self.input = input
    var bytes = [UInt8](repeating: 0, count: min(8, input.byteCount))
    try input.read(0..<bytes.count, into: &bytes)
    do {
      let length = try SafetensorsHeader.length(field: bytes, fileSize: input.byteCount)
      var text = [UInt8](repeating: 0, count: length)
      try input.read(8..<8 + length, into: &text)
      header = try SafetensorsHeader(text: text, fileSize: input.byteCount)
      headerBytes = bytes + text
    } catch let violation as SafetensorsError.Violation {
      throw SafetensorsError(file: input.path, violation: violation)
    }
  }

  /// Reads bytes of `tensor` into `buffer`, from `bufferOffset` on.
  ///
  /// - Parameter range: bytes counted from the tensor's first byte.
  package func read(
    _ range: Range<Int>, of tensor: TensorInfo, into buffer: inout [UInt8],
    at bufferOffset: Int = 0
  ) throws(FileError) {
    precondition(range.lowerBound >= 0 && range.upperBound <= tensor.byteCount)
    let base = header.dataOffset + tensor.dataRange.lowerBound
    try input.read(
      base + range.lowerBound..<base + range.upperBound, into: &buffer, at: bufferOffset)
  }

  /// Reads a tensor block by block.
  ///
  /// - Parameter body: given a buffer and how many bytes from its start are the next.
  /// - Throws: `FileError`, what `body` throws.
  package func forEachBlock(
    of tensor: TensorInfo, _ body: (_ bytes: [UInt8], _ count: Int) throws -> Void
  ) throws {
    let base = header.dataOffset
    try input.forEachBlock(
      of: base + tensor.dataRange.lowerBound..<base + tensor.dataRange.upperBound, body)
  }

  /// The digest of a tensor's bytes.
  ///
  /// - Parameter check: called before every block; may throw to stop.
  /// - Throws: `FileError`, what `check` throws.
  package func digest(
    _ rule: Digest.Rule, of tensor: TensorInfo, check: () throws -> Void = {}
  ) throws -> Digest {
    let base = header.dataOffset
    return try input.digest(
      rule, of: base + tensor.dataRange.lowerBound..<base + tensor.dataRange.upperBound,
      check: check)
  }

  /// The digest of the file as a source, from those of its tensors, by whichever way they come.
  package func sourceDigest(_ digest: (TensorInfo) throws -> Digest) rethrows -> Digest {
    // The header's tensors are in the order of their data.
    Digest(combining: try [Digest(of: headerBytes)] + header.tensors.map(digest))
  }
}
