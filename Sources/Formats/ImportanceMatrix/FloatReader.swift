/// Reads runs of F32 from a file through one buffer.
struct FloatReader {
  private static let bufferLength = 1 << 14
  private let input: InputFile
  private var buffer = [UInt8](repeating: 0, count: 4 * bufferLength)
  private var decoded = [Float](repeating: 0, count: bufferLength)

  init(_ input: InputFile) { self.input = input }

  /// The numbers in `range`, which lies inside the file and is a multiple of four bytes long.
  mutating func floats(_ range: Range<Int>) throws(FileError) -> [Float] {
    var values: [Float] = []
    values.reserveCapacity(range.count / 4)
    var start = range.lowerBound
    while start < range.upperBound {
      let count = min(range.upperBound - start, buffer.count)
      try input.read(start..<start + count, into: &buffer)
      _ = ElementDecoder.decode(buffer, count: count / 4, as: .f32, into: &decoded)
      values.append(contentsOf: decoded[..<(count / 4)])
      start += count
    }
    return values
  }
}
