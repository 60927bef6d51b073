/// A validated GGUF header: whoever holds one knows that names are unique, and that the tensors
/// follow each other in the file without gap or overlap, all inside it.
///
/// Layout, version 3, little-endian: magic, version, number of tensors, number of keys; keys with
/// their values; tensor infos; zeros up to a multiple of the alignment; the data. Version 2 has the
/// same layout. Source: ggml-org/llama.cpp, `ggml/include/gguf.h` and the rules of
/// `ggml/src/gguf.cpp`.
package struct GGUFHeader: Sendable {
  package static let magic: [UInt8] = Array("GGUF".utf8)
  /// Largest header that is read, in bytes. A limit of decant's: the format has none, and the
  /// vocabularies that make headers large take some ten million bytes.
  package static let lengthLimit = 100_000_000
  /// Bytes that a key may have by the format's description (ggml-org/ggml, `docs/gguf.md`).
  package static let keyLimit = 65_535
  /// Bytes that a tensor's name may have in the reference library (`GGML_MAX_NAME`, less the zero).
  package static let nameLimit = 63
  package static let dimensionLimit = 4
  static let defaultAlignment = 32

  package let version: UInt32
  /// In the order of the file.
  package let metadata: [(key: String, value: GGUFValue)]
  /// In the order of the file, which is also that of their data.
  package let tensors: [GGUFTensorInfo]

  package func value(_ key: String) -> GGUFValue? {
    metadata.first { $0.key == key }?.value
  }

  /// Reads the header from the start of `input`, without its data.
  ///
  /// - Throws: `GGUFError.Violation`, or `FileError` where the file cannot be read.
  init(_ input: InputFile) throws {
    var parser = GGUFHeaderParser(input)
    do {
      try parser.parse()
    } catch let error as SequentialReader.EndsEarly {
      guard input.byteCount <= Self.lengthLimit else {
        throw GGUFError.Violation.headerTooLarge(
          position: error.position, needed: error.needed, limit: Self.lengthLimit)
      }
      throw GGUFError.Violation.endsEarly(
        position: error.position, needed: error.needed, available: error.available)
    }
    version = parser.version
    metadata = parser.metadata
    tensors = try Self.place(
      parser.records, after: parser.position, alignment: Self.alignment(in: metadata),
      fileSize: input.byteCount)
  }

  /// What `general.alignment` says; 32 where it is missing.
  private static func alignment(
    in metadata: [(key: String, value: GGUFValue)]
  ) throws(GGUFError.Violation) -> Int {
    guard let value = metadata.first(where: { $0.key == "general.alignment" })?.value else {
      return defaultAlignment
    }
    guard let alignment = value.uint32Value else { throw .alignmentType(value.type) }
    guard alignment.nonzeroBitCount == 1 else { throw .badAlignment(alignment) }
    return Int(alignment)
  }

  /// Gives each tensor its place in the file. Each must begin where the one before it ends, rounded
  /// up to the alignment; padding after the last is not asked for, and more bytes may follow it.
  private static func place(
    _ records: [GGUFHeaderParser.Record], after headerEnd: Int, alignment: Int, fileSize: Int
  ) throws(GGUFError.Violation) -> [GGUFTensorInfo] {
    let dataOffset = roundedUp(headerEnd, to: alignment)
    var tensors: [GGUFTensorInfo] = []
    tensors.reserveCapacity(records.count)
    var offset = 0
    for record in records {
      guard let size = GGUFTensorInfo.byteCount(dimensions: record.dimensions, type: record.type)
      else {
        throw .sizeOverflow(
          tensor: record.name, dimensions: record.dimensions, type: record.type)
      }
      guard record.offset == UInt64(offset) else {
        throw .wrongOffset(tensor: record.name, found: record.offset, expected: offset)
      }
      // Empty tensors may stand behind the last byte; all others must lie inside the file, so
      // that neither sum below can overflow.
      guard size == 0 || size <= fileSize - min(fileSize, dataOffset + offset) else {
        throw .dataMissing(
          tensor: record.name, offset: dataOffset + offset, byteCount: size, fileSize: fileSize)
      }
      let start = dataOffset + offset
      tensors.append(
        GGUFTensorInfo(
          name: record.name, dimensions: record.dimensions, type: record.type,
          dataRange: start..<start + size))
      offset = roundedUp(offset + size, to: alignment)
    }
    return tensors
  }

  /// - Parameter alignment: a power of two below 2^32. `offset` is at most the size of a file.
  static func roundedUp(_ offset: Int, to alignment: Int) -> Int {
    (offset + alignment - 1) & ~(alignment - 1)
  }
}
