/// How strongly each input channel of each weight was driven while a model ran over a calibration
/// text, as `llama-imatrix` measures it.
///
/// Two file forms: GGUF, and the older one without a magic number. All values are held in memory,
/// four bytes for each input channel of each matrix.
///
/// Source: ggml-org/llama.cpp, `tools/imatrix/imatrix.cpp` (writer) and `common/imatrix-loader.cpp`
/// and `tools/quantize/quantize.cpp` (readers).
package struct ImportanceMatrix: Sendable {
  /// The measurements at one weight.
  package struct Entry: Sendable, Equatable {
    /// The weight's name in GGUF: `blk.0.attn_q.weight`.
    package let name: String
    /// Matrices that are stacked under the name: the number of experts, or 1. The older form does
    /// not tell, and counts the channels of all its experts as those of one matrix.
    package let matrixCount: Int
    /// Input channels of each matrix.
    package let channelCount: Int
    /// The mean of x² over the tokens that a matrix saw, `[matrixCount * channelCount]`, all
    /// finite and at least 0. Zeros for a matrix that saw none.
    package let meanSquares: [Float]
    /// Tokens that each matrix saw, `[matrixCount]`; nil in the older form, which has no counts.
    package let tokenCounts: [Double]?

    /// Whether any token reached the matrix, so that its mean squares say something. An expert may
    /// have been chosen for none. In the older form only a value above 0 can tell.
    package func isSeen(matrix: Int) -> Bool {
      if let tokenCounts { return tokenCounts[matrix] > 0 }
      let start = matrix * channelCount
      return meanSquares[start..<start + channelCount].contains { $0 > 0 }
    }
  }

  /// Calibration texts, as the file names them.
  package let datasets: [String]
  /// Pieces of text that the model ran over; nil where the older form does not tell.
  package let chunkCount: Int?
  /// Tokens in a piece; nil in the older form.
  package let chunkSize: Int?
  /// In the order of the file, with unique names.
  package let entries: [Entry]

  /// Opens a file of either form: GGUF where it begins with that magic, the older one elsewhere.
  ///
  /// - Throws: `FileError` where the file cannot be read, `GGUFError` where it begins as GGUF and
  ///   breaks a rule of that, `ImportanceMatrixError` where it is no importance matrix or a value
  ///   is impossible.
  package init(path: String) throws {
    let input = try InputFile(path: path)
    var start = [UInt8](repeating: 0, count: min(GGUFHeader.magic.count, input.byteCount))
    try input.read(0..<start.count, into: &start)
    do {
      if GGUFFile.isGGUF(prefix: start) {
        try self.init(GGUFFile(input))
      } else {
        try self.init(legacy: input)
      }
    } catch let violation as ImportanceMatrixError.Violation {
      throw ImportanceMatrixError(file: path, violation: violation)
    }
  }

  init(datasets: [String], chunkCount: Int?, chunkSize: Int?, entries: [Entry]) {
    self.datasets = datasets
    self.chunkCount = chunkCount
    self.chunkSize = chunkSize
    self.entries = entries
  }
}
