import Formats

extension TokenModel {
  /// - Parameter takesBytes: whether a byte-pair encoding is given bytes that its vocabulary spells in
  ///   `ByteAlphabet`.
  /// - Throws: `TokenizerError`, `JSONError`.
  init(_ fields: ModelFields, path: String, takesBytes: Bool) throws {
    let reader = try ComponentReader(.object(fields.others), path: path, name: "model")
    let type = fields.type
    guard let vocabulary = fields.vocabulary else { throw reader.malformed("no 'vocab'") }
    guard (fields.scores != nil) == (type == "Unigram") else {
      throw reader.malformed("the vocabulary is not of the kind that \(type) has")
    }
    switch type {
    case "BPE":
      self = .bpe(try BPEModel(vocabulary, fields, reader, takesBytes: takesBytes))
    case "Unigram":
      self = .unigram(try UnigramModel(vocabulary, fields.scores ?? [], reader))
    case "WordPiece":
      self = .wordPiece(
        WordPieceModel(
          vocabulary, prefix: try reader.bytes("continuing_subword_prefix"),
          unknown: UnknownToken(try reader.string("unk_token"), vocabulary),
          longestWord: try reader.count("max_input_chars_per_word")))
    case "WordLevel":
      self = .wordLevel(
        vocabulary, UnknownToken(try reader.string("unk_token"), vocabulary))
    default: throw reader.unsupported("the type '\(type)'")
    }
  }
}

extension UnknownToken {
  init(_ name: String?, _ vocabulary: Vocabulary) {
    self.name = name
    knownId = name.flatMap { vocabulary.id(of: Array($0.utf8)) }
  }
}

extension Vocabulary {
  /// The ids of `<0x00>` to `<0xFF>`, -1 where there is none.
  var byteNames: [Int32] {
    (0..<256).map { byte in
      let digits = String(byte, radix: 16, uppercase: true)
      return id(of: Array("<0x\(byte < 16 ? "0" : "")\(digits)>".utf8)) ?? -1
    }
  }
}

extension UnigramModel {
  init(
    _ vocabulary: Vocabulary, _ scores: [Double], _ reader: ComponentReader
  ) throws(TokenizerError) {
    guard !scores.isEmpty else { throw reader.malformed("the vocabulary is empty") }
    var unknown: Int32?
    if let value = reader.value("unk_id") {
      let id = try reader.id(value)
      guard id < scores.count else {
        throw reader.malformed("unk_id \(id) is beyond the vocabulary")
      }
      unknown = id
    }
    self.init(
      vocabulary, scores: scores, unknown: unknown,
      byteNames: try reader.bool("byte_fallback", default: false) ? vocabulary.byteNames : nil)
  }
}

extension BPEModel {
  /// Longest prefix and suffix of parts, in bytes.
  private static let longestAffix = 16

  fileprivate init(
    _ vocabulary: Vocabulary, _ fields: ModelFields, _ reader: ComponentReader, takesBytes: Bool
  ) throws {
    if let dropout = reader.value("dropout"), dropout.doubleValue != 0 {
      throw reader.unsupported("dropout, which makes ids random,")
    }
    guard let merges = fields.merges else { throw reader.malformed("no 'merges'") }
    self.vocabulary = vocabulary
    self.takesBytes = takesBytes
    unknown = UnknownToken(
      reader.value("unk_token") == nil ? nil : try reader.string("unk_token"), vocabulary)
    fusesUnknown = try reader.bool("fuse_unk", default: false)
    namesBytes = try reader.bool("byte_fallback", default: false)
    takesWholePieces = try reader.bool("ignore_merges", default: false)
    prefix = try reader.optionalBytes("continuing_subword_prefix") ?? []
    suffix = try reader.optionalBytes("end_of_word_suffix") ?? []
    guard max(prefix.count, suffix.count) <= Self.longestAffix else {
      throw reader.unsupported("a prefix or suffix of more than \(Self.longestAffix) bytes")
    }
    byteNames = namesBytes ? vocabulary.byteNames : []
    byteIds = takesBytes ? Self.byteIds(vocabulary, prefix, suffix) : []
    var scanner = merges
    self.merges = try MergeReader(vocabulary, prefix: prefix, path: reader.path).read(&scanner)
  }

  private static func byteIds(
    _ vocabulary: Vocabulary, _ prefix: [UInt8], _ suffix: [UInt8]
  ) -> [Int32] {
    (0..<4).flatMap { place in
      ByteAlphabet.characters.map { character in
        var spelled = place & 1 == 1 ? prefix : []
        spelled.append(scalar: character)
        if place & 2 == 2 { spelled += suffix }
        return vocabulary.id(of: spelled) ?? -1
      }
    }
  }
}
