/// A validated safetensors header: whoever holds one knows that its tensors tile the data section
/// without gap or overlap, and that every size is in range.
///
/// Layout: eight bytes N, little-endian; N bytes of JSON, padded with spaces; then the data.
package struct SafetensorsHeader: Sendable {
  /// Largest header the format allows, in bytes.
  package static let lengthLimit: UInt64 = 100_000_000

  /// Most dimensions of a tensor that is read: as many as NumPy and PyTorch know. The format sets no
  /// limit, but then a header of its greatest length describes fifty million.
  package static let dimensionLimit = 64

  /// In the order of their data.
  package let tensors: [TensorInfo]
  /// The `__metadata__` entries in header order.
  package let metadata: [(name: String, value: String)]
  /// Where the data section begins, counted from the start of the file: 8 + N.
  package let dataOffset: Int

  /// The value of the metadata entry `name`.
  package func metadataValue(_ name: String) -> String? {
    metadata.first { $0.name == name }?.value
  }

  /// Checks the length field against the file before anything of that size is allocated.
  ///
  /// - Parameters:
  ///   - field: the file's first bytes, at most eight of them.
  ///   - fileSize: size of the whole file in bytes.
  /// - Returns: N, the byte count of the JSON text.
  package static func length(
    field: [UInt8], fileSize: Int
  ) throws(SafetensorsError.Violation) -> Int {
    guard fileSize >= 8, field.count >= 8 else { throw .tooShort(byteCount: fileSize) }
    let declared = field.span.loadLittleEndian(at: 0, as: UInt64.self)
    guard declared <= lengthLimit else {
      throw .headerTooLarge(declared: declared, limit: lengthLimit)
    }
    guard declared <= UInt64(fileSize - 8) else {
      throw .headerPastEnd(declared: declared, available: fileSize - 8)
    }
    return Int(declared)
  }

  /// Parses and validates the header's text.
  ///
  /// - Parameters:
  ///   - text: the N bytes after the length field.
  ///   - fileSize: size of the whole file in bytes.
  package init(text: [UInt8], fileSize: Int) throws(SafetensorsError.Violation) {
    var parser = HeaderParser(text: text)
    try parser.parse()
    dataOffset = 8 + text.count
    metadata = parser.metadata
    tensors = try Self.validate(parser.records, dataSize: fileSize - dataOffset)
  }

  /// Checks sizes and tiling in the order of the data, as the reference library does: the first
  /// tensor that breaks a rule decides.
  private static func validate(
    _ records: [HeaderParser.Record], dataSize: Int
  ) throws(SafetensorsError.Violation) -> [TensorInfo] {
    let ordered = records.sorted { ($0.begin, $0.end) < ($1.begin, $1.end) }
    var tensors: [TensorInfo] = []
    tensors.reserveCapacity(ordered.count)
    var previousEnd: UInt64 = 0
    var beyond = false
    for record in ordered {
      if record.end < record.begin {
        throw .endBeforeBegin(tensor: record.name, begin: record.begin, end: record.end)
      }
      if record.begin > previousEnd {
        throw .gap(tensor: record.name, begin: record.begin, previousEnd: previousEnd)
      }
      if record.begin < previousEnd {
        throw .overlap(tensor: record.name, begin: record.begin, previousEnd: previousEnd)
      }
      switch TensorSize(shape: record.shape, dtype: record.dtype) {
      case .overflow:
        throw .sizeOverflow(tensor: record.name, shape: record.shape, dtype: record.dtype)
      case .partialByte(let bits): throw .partialByte(tensor: record.name, bits: bits)
      case .bytes(let expected):
        guard record.end - record.begin == expected else {
          throw .wrongSize(
            tensor: record.name, declared: record.end - record.begin, expected: expected)
        }
      }
      previousEnd = record.end
      // Offsets beyond the file are reported once the whole header has been read; until then
      // they must not reach a conversion to `Int`.
      if record.end > UInt64(dataSize) {
        beyond = true
      } else {
        tensors.append(
          TensorInfo(
            name: record.name, dtype: record.dtype, shape: record.shape,
            dataRange: Int(record.begin)..<Int(record.end)))
      }
    }
    if beyond { throw .dataMissing(expected: previousEnd, available: dataSize) }
    if previousEnd < UInt64(dataSize) {
      throw .trailingData(expected: previousEnd, available: dataSize)
    }
    return tensors
  }
}

extension SafetensorsError.Violation: Error {}
