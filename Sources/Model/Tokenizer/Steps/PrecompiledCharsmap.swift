import Foundation

/// The table of a `Precompiled` normalizer: texts and their replacements, as SentencePiece stores them.
///
/// A count of bytes, a double array of 32-bit units (Darts-clone), and replacements that end with a zero;
/// little-endian. Source: google/sentencepiece, `src/normalizer.cc`; s-yata/darts-clone,
/// `include/darts.h`.
struct PrecompiledCharsmap: Sendable {
  private let units: [UInt32]
  private let replacements: [UInt8]

  init(_ reader: ComponentReader) throws(TokenizerError) {
    let text = try reader.string("precompiled_charsmap")
    guard let data = Data(base64Encoded: text) else {
      throw reader.malformed("precompiled_charsmap is not base64")
    }
    let bytes = [UInt8](data)
    func word(_ offset: Int) -> UInt32 {
      (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << UInt32(8 * $1) }
    }
    guard bytes.count >= 4 else { throw reader.malformed("precompiled_charsmap ends early") }
    let byteCount = Int(word(0))
    guard byteCount > 0, byteCount % 4 == 0, byteCount <= bytes.count - 4 else {
      throw reader.malformed(
        "precompiled_charsmap says that it has \(byteCount) bytes of units, and has "
          + "\(bytes.count - 4) bytes")
    }
    units = stride(from: 4, to: 4 + byteCount, by: 4).map(word)
    replacements = Array(bytes[(4 + byteCount)...])
    guard replacements.isEmpty || replacements.last == 0,
      (try? UTF8Span(validating: replacements.span)) != nil
    else { throw reader.malformed("precompiled_charsmap has replacements that are no text") }
  }

  /// Clusters of characters shorter than this are looked up whole.
  private static let shortCluster = 6

  func changed(_ text: Span<UInt8>, _ state: EncodingState) throws(TokenizerError) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    var offset = 0
    while offset < text.count {
      var end = offset + 1
      // Two ASCII characters are two clusters, but for CR LF.
      while end < text.count,
        text[end] >= 0x80 || text[end - 1] >= 0x80 || text[end - 1] == 0x0D && text[end] == 0x0A
      {
        end += 1
      }
      if end == offset + 1 {
        try append(text.extracting(offset..<end), to: &result)
      } else {
        try appendClusters(text.extracting(offset..<end), to: &result)
      }
      try state.check(byteCount: result.count)
      offset = end
    }
    return result
  }

  private func appendClusters(
    _ text: Span<UInt8>, to result: inout [UInt8]
  ) throws(TokenizerError) {
    var bytes: [UInt8] = []
    bytes.append(text)
    var start = 0
    for cluster in String(decoding: bytes, as: UTF8.self) {
      let end = start + cluster.utf8.count
      if end - start < Self.shortCluster,
        let replacement = try replacement(text.extracting(start..<end))
      {
        result.append(contentsOf: replacement)
        start = end
        continue
      }
      while start < end {
        let next = text.scalarEnd(at: start)
        try append(text.extracting(start..<next), to: &result)
        start = next
      }
    }
  }

  /// Appends what is in the place of `text`, or `text`.
  private func append(_ text: Span<UInt8>, to result: inout [UInt8]) throws(TokenizerError) {
    if let replacement = try replacement(text) {
      result.append(contentsOf: replacement)
    } else {
      result.append(text)
    }
  }

  /// What the table has for the shortest beginning of `text` that it knows.
  private func replacement(_ text: Span<UInt8>) throws(TokenizerError) -> ArraySlice<UInt8>? {
    var node = Self.offset(units[0])
    for i in text.indices {
      node ^= Int(text[i])
      guard node < units.count, units[node] & 0x8000_00FF == UInt32(text[i]) else { return nil }
      let unit = units[node]
      node ^= Self.offset(unit)
      if unit >> 8 & 1 == 1 {
        guard node < units.count else { return nil }
        return try replacement(at: Int(units[node] & 0x7FFF_FFFF))
      }
    }
    return nil
  }

  private func replacement(at start: Int) throws(TokenizerError) -> ArraySlice<UInt8> {
    // The beginning of a character, and there is a zero behind all of them.
    guard start < replacements.count, replacements[start] & 0xC0 != 0x80 else {
      throw .badCharsmap(offset: start)
    }
    let end = replacements[start...].firstIndex(of: 0) ?? replacements.count
    return replacements[start..<end]
  }

  private static func offset(_ unit: UInt32) -> Int {
    Int(unit >> 10) << Int((unit & 0x200) >> 6)
  }
}
