/// An open GGUF file: its validated header, and its tensors' bytes on request.
package struct GGUFFile: Sendable {
  package let input: InputFile
  package let header: GGUFHeader

  package var path: String { input.path }

  /// - Throws: `FileError` where the file cannot be read, `GGUFError` where it breaks a rule of the
  ///   format.
  package init(path: String) throws {
    try self.init(InputFile(path: path))
  }

  package init(_ input: InputFile) throws {
    self.input = input
    do {
      header = try GGUFHeader(input)
    } catch let violation as GGUFError.Violation {
      throw GGUFError(file: input.path, violation: violation)
    }
  }

  /// Whether a file that begins with these bytes, at least four of them, is a GGUF file.
  package static func isGGUF(prefix: [UInt8]) -> Bool { prefix.starts(with: GGUFHeader.magic) }

  /// Reads bytes of `tensor` into `buffer`, from `bufferOffset` on.
  ///
  /// - Parameter range: bytes counted from the tensor's first byte.
  package func read(
    _ range: Range<Int>, of tensor: GGUFTensorInfo, into buffer: inout [UInt8],
    at bufferOffset: Int = 0
  ) throws(FileError) {
    precondition(range.lowerBound >= 0 && range.upperBound <= tensor.byteCount)
    let base = tensor.dataRange.lowerBound
    try input.read(
      base + range.lowerBound..<base + range.upperBound, into: &buffer, at: bufferOffset)
  }
}
