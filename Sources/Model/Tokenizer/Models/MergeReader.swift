import Formats

/// Reads the merges of a byte-pair encoding: pairs, or texts with a space between the two in older files.
struct MergeReader {
  private let vocabulary: Vocabulary
  private let prefix: [UInt8]
  private let path: String

  /// - Parameter prefix: before every part but the first; a merge drops that of its right part.
  init(_ vocabulary: Vocabulary, prefix: [UInt8], path: String) {
    self.vocabulary = vocabulary
    self.prefix = prefix
    self.path = path
  }

  /// Two ids, to the rank of their merge in the upper half and the id of the result in the lower. Of a
  /// pair that is given twice the later rank counts.
  ///
  /// - Throws: `TokenizerError`, `JSONError`.
  func read(_ scanner: inout JSONScanner) throws -> PairTable {
    var table = PairTable(capacity: vocabulary.count)
    var bytes: [UInt8] = []
    var (rank, index) = (0, 0)
    var arePairs: Bool?
    try scanner.array { scanner in
      bytes.removeAll(keepingCapacity: true)
      let isPair = try scanner.peek() == UInt8(ascii: "[")
      guard isPair == arePairs ?? isPair else {
        throw malformed(index, "pairs and texts are mixed")
      }
      arePairs = isPair
      defer { index += 1 }
      var middle: Int?
      if isPair {
        middle = try readPair(&scanner, index, &bytes)
      } else {
        try scanner.string(appendedTo: &bytes)
        // The first lines of merges.txt, which some tools copied.
        if bytes.starts(with: "#version".utf8) { return }
        middle = try splitAtSpace(index, &bytes)
      }
      guard let middle else { throw malformed(index, "not two pieces") }
      try add(bytes, middle, rank: rank, index, to: &table)
      rank += 1
    }
    return table
  }

  private func malformed(_ index: Int, _ reason: String) -> TokenizerError {
    .malformed(path: path, component: "model.merges[\(index)]", reason: reason)
  }

  /// Appends both pieces of a pair; where the second begins, nil unless there are two.
  private func readPair(
    _ scanner: inout JSONScanner, _ index: Int, _ bytes: inout [UInt8]
  ) throws -> Int? {
    var ends: [Int] = []
    try scanner.array { scanner in
      try scanner.string(appendedTo: &bytes)
      ends.append(bytes.count)
    }
    return ends.count == 2 ? ends[0] : nil
  }

  /// Takes the only space out of `bytes` and says where it was.
  private func splitAtSpace(_ index: Int, _ bytes: inout [UInt8]) throws(TokenizerError) -> Int? {
    guard let middle = bytes.firstIndex(of: 0x20), bytes.lastIndex(of: 0x20) == middle else {
      return nil
    }
    bytes.remove(at: middle)
    return middle
  }

  private func add(
    _ bytes: [UInt8], _ middle: Int, rank: Int, _ index: Int, to table: inout PairTable
  ) throws(TokenizerError) {
    let span = bytes.span
    let left = try id(span.extracting(0..<middle), index)
    let right = try id(span.extracting(middle..<bytes.count), index)
    let result: Int32
    if prefix.isEmpty {
      result = try id(span, index)
    } else {
      let merged = bytes[..<middle] + bytes[min(middle + prefix.count, bytes.count)...]
      result = try id(merged.span, index)
    }
    guard let rank = UInt32(exactly: rank), rank < .max else {
      throw malformed(index, "too many merges")
    }
    table.set(
      UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right)),
      UInt64(rank) << 32 | UInt64(UInt32(bitPattern: result)))
  }

  private func id(_ piece: Span<UInt8>, _ index: Int) throws(TokenizerError) -> Int32 {
    if let id = vocabulary.id(of: piece) { return id }
    var bytes: [UInt8] = []
    bytes.append(piece)
    throw .unknownMerge(path: path, merge: index, piece: String(decoding: bytes, as: UTF8.self))
  }
}
