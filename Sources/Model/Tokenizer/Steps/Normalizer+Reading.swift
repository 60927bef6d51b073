extension Normalizer {
  init(_ reader: ComponentReader) throws(TokenizerError) {
    let type = try reader.type()
    switch type {
    case "Sequence":
      var parts: [Normalizer] = []
      for child in try reader.children("normalizers") { parts.append(try Normalizer(child)) }
      self = .sequence(parts)
    case "NFC": self = .form(.nfc)
    case "NFD": self = .form(.nfd)
    case "NFKC": self = .form(.nfkc)
    case "NFKD": self = .form(.nfkd)
    case "Lowercase": self = .lowercase
    case "Replace":
      self = .replace(try reader.pattern("pattern"), content: try reader.bytes("content"))
    case "Prepend": self = .prepend(try reader.bytes("prepend"))
    case "Strip":
      self = .strip(left: try reader.bool("strip_left"), right: try reader.bool("strip_right"))
    case "StripAccents": self = .remove(.combiningMark)
    case "ByteLevel": self = .mapBytes
    case "Nmt": self = .nmt
    case "Precompiled": self = .precompiled(try PrecompiledCharsmap(reader))
    case "BertNormalizer": self = .bert(try BertNormalizer(reader))
    default: throw reader.unsupported("the type '\(type)'")
    }
  }

  /// Whether it may take something from the beginning of a text.
  var stripsBeginning: Bool {
    switch self {
    case .sequence(let parts): parts.contains(where: \.stripsBeginning)
    case .strip(let left, _): left
    default: false
    }
  }
}
