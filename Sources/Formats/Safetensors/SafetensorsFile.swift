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
}
