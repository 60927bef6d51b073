extension Decoder {
  private static let mostSteps = 64

  init(_ reader: ComponentReader) throws(TokenizerError) {
    steps = []
    try add(reader)
  }

  private mutating func add(_ reader: ComponentReader) throws(TokenizerError) {
    let type = try reader.type()
    switch type {
    case "Sequence":
      for child in try reader.children("decoders") { try add(child) }
    case "ByteLevel": steps.append(.byteLevel)
    case "Metaspace":
      let scheme = reader.value("prepend_scheme")?.stringValue ?? "always"
      steps.append(.mark(try reader.character("replacement"), dropsFirst: scheme != "never"))
    case "WordPiece":
      steps.append(
        .wordPiece(prefix: try reader.bytes("prefix"), cleansUp: try reader.bool("cleanup")))
    case "BPEDecoder": steps.append(.suffix(try reader.bytes("suffix")))
    case "ByteFallback": steps.append(.byteNames)
    case "Fuse": steps.append(.fuse)
    case "Strip":
      steps.append(
        .strip(
          content: try reader.character("content"), start: try reader.count("start"),
          end: try reader.count("stop")))
    case "Replace":
      steps.append(
        .replace(try reader.pattern("pattern"), content: try reader.bytes("content")))
    default: throw reader.unsupported("the type '\(type)'")
    }
    guard steps.count <= Self.mostSteps else {
      throw reader.unsupported("a sequence of more than \(Self.mostSteps) steps")
    }
  }
}
