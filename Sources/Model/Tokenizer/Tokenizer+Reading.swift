import Formats

extension Tokenizer {
  /// Largest file that is read, in bytes.
  private static let largestFile = 1 << 27

  package static let fileName = "tokenizer.json"

  /// - Parameter path: a `tokenizer.json`, or the directory that has one.
  /// - Throws: `TokenizerError`, `FileError`.
  package init(path: String) throws {
    let file = FileStatus.isDirectory(path) ? try Self.file(in: path) : path
    try self.init(parsing: try InputFile(path: file).readAll(limit: Self.largestFile), path: file)
  }

  private static func file(in directory: String) throws(TokenizerError) -> String {
    guard let path = try find(in: directory) else {
      throw .missing(directory: directory, found: [])
    }
    return path
  }

  /// The `tokenizer.json` of a directory; nil where there is no tokenizer of any kind.
  ///
  /// - Throws: `TokenizerError.missing` where there is one of another kind.
  package static func find(in directory: String) throws(TokenizerError) -> String? {
    let path = directory + "/" + fileName
    if FileStatus.exists(path) { return path }
    let others = [
      "tokenizer.model", "sentencepiece.bpe.model", "spiece.model", "tekken.json",
      "tiktoken.model", "vocab.json", "merges.txt", "vocab.txt",
    ].filter { FileStatus.exists(directory + "/" + $0) }
    guard others.isEmpty else { throw .missing(directory: directory, found: others) }
    return nil
  }

  /// - Parameters:
  ///   - bytes: a whole `tokenizer.json`.
  ///   - path: what errors call it.
  /// - Throws: `TokenizerError`.
  package init(parsing bytes: [UInt8], path: String) throws(TokenizerError) {
    do {
      try self.init(try TokenizerDocument(parsing: bytes, path: path), path: path)
    } catch let error as JSONError {
      throw .badJSON(path: path, reason: error.reason, offset: error.offset)
    } catch let error as TokenizerError {
      throw error
    } catch {
      preconditionFailure("reading throws only errors of JSON and of tokenizers, not \(error)")
    }
  }

  private init(_ document: TokenizerDocument, path: String) throws {
    func reader(_ name: String) throws(TokenizerError) -> ComponentReader? {
      guard let json = document.components[name], json != .null else { return nil }
      return try ComponentReader(json, path: path, name: name)
    }
    normalizer = try reader("normalizer").map { reader throws(TokenizerError) in
      try Normalizer(reader)
    }
    var preTokenizer = PreTokenizer()
    if let reader = try reader("pre_tokenizer") {
      preTokenizer = try PreTokenizer(reader)
      // The library goes by where the rest of the text began.
      if normalizer?.stripsBeginning == true, preTokenizer.marksFirst {
        throw reader.unsupported("a mark before the first piece behind a Strip on the left")
      }
    }
    postProcessor =
      try reader("post_processor").map { reader throws(TokenizerError) in
        try PostProcessor(reader)
      } ?? PostProcessor()
    decoder = try reader("decoder").map { reader throws(TokenizerError) in try Decoder(reader) }
    guard let fields = document.model else {
      throw TokenizerError.malformed(path: path, component: "model", reason: "there is none")
    }
    let takesBytes = preTokenizer.mapsBytesLast && fields.type == "BPE"
    // The model then begins with bytes; that they have names of their own changes nothing.
    if takesBytes { preTokenizer.steps.removeLast() }
    self.preTokenizer = preTokenizer
    model = try TokenModel(fields, path: path, takesBytes: takesBytes)
    let added = try AddedTokenReader(model: model, normalizer: normalizer)
      .read(document.components["added_tokens"] ?? .null, path: path)
    rawTokens = added.raw
    normalizedTokens = added.normalized
    addedContents = added.contents
    let largest = max(model.vocabulary.largestId ?? -1, added.contents.keys.max() ?? -1)
    vocabularySize = Int(largest) + 1
  }
}

/// A `tokenizer.json` with its parts told apart: the model by its fields, everything else as JSON.
private struct TokenizerDocument {
  private(set) var components: [String: JSONValue] = [:]
  private(set) var model: ModelFields?

  /// Settings of a run, which change no text's ids by themselves.
  private static let runSettings: Set = ["truncation", "padding"]
  private static let names: Set = [
    "added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder", "version",
  ]

  /// - Throws: `TokenizerError`, `JSONError`.
  init(parsing bytes: [UInt8], path: String) throws {
    var scanner = try JSONScanner(checking: bytes)
    var components: [String: JSONValue] = [:]
    var model: ModelFields?
    try scanner.object { scanner, name in
      switch name {
      case "model": model = try ModelFields(&scanner, path: path)
      case _ where Self.runSettings.contains(name): try scanner.skipValue(depth: 1)
      case _ where Self.names.contains(name): components[name] = try scanner.value(depth: 1)
      default:
        throw TokenizerError.unsupported(path: path, component: name, feature: "this member")
      }
    }
    try scanner.finish()
    if let version = components["version"], version != .null, version != "1.0" {
      throw TokenizerError.unsupported(
        path: path, component: "version", feature: version.compactText)
    }
    self.components = components
    self.model = model
  }
}
