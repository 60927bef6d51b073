// The older form, little-endian, all lengths and counts i32:
//
//   number of entries
//   for each: length of the name, name, calls, number of values, F32 values
//   and from some time on: number of chunks, length of the data set's name, that name
//
// Values are means of x² times the number of calls. Where that is 0, they are taken as they are.

extension ImportanceMatrix {
  /// The fewest bytes of an entry: four fields and one byte of a name, with no value.
  private static let leastEntryByteCount = 4 + 1 + 4 + 4
  /// Entries have the names of tensors, and those have so many bytes at most.
  private static let nameLimit = Int32(GGUFHeader.nameLimit)

  /// - Throws: `ImportanceMatrixError.Violation`, or `FileError` where the file cannot be read.
  init(legacy input: InputFile) throws {
    typealias Violation = ImportanceMatrixError.Violation
    var reader = SequentialReader(input)
    var values = FloatReader(input)
    do {
      let count = try reader.integer(Int32.self)
      let limit = reader.remaining / Self.leastEntryByteCount
      guard count >= 1, count <= limit else {
        throw Violation.badEntryCount(count, limit: limit)
      }
      var entries: [Entry] = []
      var names = Set<String>()
      for _ in 0..<count {
        let entry = try Self.entry(&reader, &values)
        guard names.insert(entry.name).inserted else {
          throw Violation.repeatedEntry(entry.name)
        }
        entries.append(entry)
      }
      var chunkCount: Int?
      var datasets: [String] = []
      if reader.remaining > 0 {
        chunkCount = Int(
          try Self.count(&reader, of: "the number of chunks", 0...(.max)))
        let dataset = try Self.string(&reader, of: "the data set's name", 0...(.max))
        if !dataset.isEmpty { datasets.append(dataset) }
      }
      guard reader.remaining == 0 else {
        throw Violation.trailingBytes(position: reader.position, count: reader.remaining)
      }
      self.init(
        datasets: datasets, chunkCount: chunkCount, chunkSize: nil, entries: entries)
    } catch let error as SequentialReader.EndsEarly {
      throw Violation.endsEarly(
        position: error.position, needed: error.needed, available: error.available)
    }
  }

  private static func entry(
    _ reader: inout SequentialReader, _ floats: inout FloatReader
  ) throws -> Entry {
    let name = try string(&reader, of: "the name of an entry", 1...nameLimit)
    let callCount = try count(&reader, of: "the calls of '\(name)'", 0...(.max))
    let valueCount = try count(&reader, of: "the values of '\(name)'", 1...(.max))
    var values = try floats.floats(try reader.skip(4 * valueCount))
    for channel in values.indices {
      let value = values[channel]
      if callCount > 0 { values[channel] = value / Float(callCount) }
      guard value >= 0, value.isFinite else {
        throw ImportanceMatrixError.Violation.badValue(
          entry: name, matrix: 0, channel: channel, value: value, divisor: Double(callCount))
      }
    }
    return Entry(
      name: name, matrixCount: 1, channelCount: values.count, meanSquares: values,
      tokenCounts: nil)
  }

  private static func count(
    _ reader: inout SequentialReader, of field: String, _ allowed: ClosedRange<Int32>
  ) throws -> UInt64 {
    let position = reader.position
    let count = try reader.integer(Int32.self)
    guard allowed.contains(count) else {
      throw ImportanceMatrixError.Violation.badCount(of: field, found: count, position: position)
    }
    return UInt64(count)
  }

  private static func string(
    _ reader: inout SequentialReader, of field: String, _ allowed: ClosedRange<Int32>
  ) throws -> String {
    let length = try count(&reader, of: "the length of " + field, allowed)
    let position = reader.position
    let bytes = try reader.bytes(length)
    if let offset = UTF8.firstInvalidOffset(in: bytes) {
      throw ImportanceMatrixError.Violation.notUTF8(field, position: position + offset)
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
