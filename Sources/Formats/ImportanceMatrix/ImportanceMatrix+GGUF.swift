// The GGUF form. For a weight NAME there are two F32 tensors, dimensions innermost first:
//
//   NAME.in_sum2   [channels, matrices]   sum over tokens of x²
//   NAME.counts    [1, matrices]          tokens
//
// Trailing dimensions of 1 may be left out. Other tensors, such as the `NAME.in_sum` of newer
// writers, are not needed here and stay unread.

extension ImportanceMatrix {
  private static let sumSuffix = ".in_sum2"
  private static let countSuffix = ".counts"

  /// - Throws: `ImportanceMatrixError.Violation`, or `FileError` where the file cannot be read.
  init(_ file: GGUFFile) throws {
    typealias Violation = ImportanceMatrixError.Violation
    let header = file.header
    let kind = header.value("general.type")?.stringValue
    guard kind == "imatrix" else { throw Violation.notImportanceMatrix(type: kind) }
    guard case .array(.string(let datasets)) = try Self.value("imatrix.datasets", in: header) else {
      throw Violation.badKey("imatrix.datasets", expected: "an array of strings")
    }
    let chunkCount = try Self.number("imatrix.chunk_count", in: header)
    let chunkSize = try Self.number("imatrix.chunk_size", in: header)

    var counts: [String: GGUFTensorInfo] = [:]
    for tensor in header.tensors where tensor.name.hasSuffix(Self.countSuffix) {
      counts[String(tensor.name.dropLast(Self.countSuffix.count))] = tensor
    }
    var reader = FloatReader(file.input)
    var entries: [Entry] = []
    for tensor in header.tensors where tensor.name.hasSuffix(Self.sumSuffix) {
      let name = String(tensor.name.dropLast(Self.sumSuffix.count))
      guard let count = counts.removeValue(forKey: name) else {
        throw Violation.halfMissing(entry: name, missing: name + Self.countSuffix)
      }
      entries.append(try Self.entry(name, sums: tensor, counts: count, &reader))
    }
    if let name = counts.keys.min() {
      throw Violation.halfMissing(entry: name, missing: name + Self.sumSuffix)
    }
    guard !entries.isEmpty else { throw Violation.noEntries }
    self.init(
      datasets: datasets, chunkCount: chunkCount, chunkSize: chunkSize, entries: entries)
  }

  private static func value(
    _ key: String, in header: GGUFHeader
  ) throws(ImportanceMatrixError.Violation) -> GGUFValue {
    guard let value = header.value(key) else { throw .keyMissing(key) }
    return value
  }

  private static func number(
    _ key: String, in header: GGUFHeader
  ) throws(ImportanceMatrixError.Violation) -> Int {
    guard let number = try value(key, in: header).uint32Value else {
      throw .badKey(key, expected: "a uint32")
    }
    return Int(number)
  }

  private static func entry(
    _ name: String, sums: GGUFTensorInfo, counts: GGUFTensorInfo, _ reader: inout FloatReader
  ) throws -> Entry {
    for tensor in [sums, counts] where tensor.type != .f32 {
      throw ImportanceMatrixError.Violation.notF32(tensor: tensor.name, type: tensor.type)
    }
    let channelCount = sums.dimensions.first ?? 1
    let matrixCount = sums.dimensions.dropFirst().first ?? 1
    guard sums.elementCount > 0, sums.elementCount == channelCount * matrixCount,
      counts.elementCount == matrixCount
    else {
      throw ImportanceMatrixError.Violation.badDimensions(
        entry: name, sums: sums.dimensions, counts: counts.dimensions)
    }
    let tokenCounts = try reader.floats(counts.dataRange)
    var values = try reader.floats(sums.dataRange)
    for matrix in 0..<matrixCount {
      let count = tokenCounts[matrix]
      guard count >= 0, count.isFinite else {
        throw ImportanceMatrixError.Violation.badTokenCount(
          entry: name, matrix: matrix, count: count)
      }
      for channel in 0..<channelCount {
        let index = matrix * channelCount + channel
        let sum = values[index]
        // Without tokens there is no mean, whatever the sum.
        values[index] = count > 0 ? sum / count : 0
        guard sum >= 0, sum.isFinite, values[index].isFinite else {
          throw ImportanceMatrixError.Violation.badValue(
            entry: name, matrix: matrix, channel: channel, value: sum, divisor: Double(count))
        }
      }
    }
    return Entry(
      name: name, matrixCount: matrixCount, channelCount: channelCount, meanSquares: values,
      tokenCounts: tokenCounts.map(Double.init))
  }
}
