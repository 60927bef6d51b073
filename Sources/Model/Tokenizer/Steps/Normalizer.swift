/// Changes a text before it is cut.
indirect enum Normalizer: Sendable {
  case sequence([Normalizer])
  case form(NormalForm)
  case lowercase
  case replace(SplitPattern, content: [UInt8])
  case prepend([UInt8])
  /// White space at the ends.
  case strip(left: Bool, right: Bool)
  /// Drops scalars.
  case remove(ScalarSet)
  case mapBytes
  /// Controls and blanks as SentencePiece's `nmt` rules have them.
  case nmt
  case precompiled(PrecompiledCharsmap)
  case bert(BertNormalizer)

  /// The changed text; nil where nothing changes.
  func changed(
    _ text: Span<UInt8>, _ state: inout EncodingState
  ) throws(TokenizerError) -> [UInt8]? {
    if text.isEmpty { return nil }
    switch self {
    case .sequence(let parts):
      var current: [UInt8]?
      for part in parts {
        let next =
          if let current { try part.changed(current.span, &state) } else {
            try part.changed(text, &state)
          }
        current = next ?? current
      }
      return current
    case .form(let form): return form.changed(text)
    case .lowercase: return Self.lowercased(text)
    case .replace(let pattern, let content): return try replaced(text, pattern, content, &state)
    case .prepend(let prefix):
      var result = prefix
      result.append(text)
      try state.check(byteCount: result.count)
      return result
    case .strip(let left, let right): return Self.stripped(text, left, right)
    case .remove(let set):
      return Self.mapping(text) { scalar, _ in !set.contains(scalar) }
    case .mapBytes:
      var result: [UInt8] = []
      ByteAlphabet.append(text, to: &result)
      try state.check(byteCount: result.count)
      return result
    case .nmt: return Self.mapping(text, Self.keepsForNMT)
    case .precompiled(let charsmap): return try charsmap.changed(text, state)
    case .bert(let normalizer): return normalizer.changed(text)
    }
  }

  /// Goes through the scalars of `text`; those that `keeps` is true for are copied.
  ///
  /// - Parameter keeps: may append something in the place of a scalar.
  static func mapping(
    _ text: Span<UInt8>, _ keeps: (UInt32, inout [UInt8]) -> Bool
  ) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    var offset = 0
    while offset < text.count {
      let scalar = text.scalar(at: offset)
      if keeps(scalar.value, &result) { result.append(scalar: scalar.value) }
      offset += scalar.byteCount
    }
    return result
  }

  /// The full mapping of each scalar by itself: no rule asks what is beside it.
  static func lowercased(_ text: Span<UInt8>) -> [UInt8] {
    mapping(text) { scalar, result in
      if (0x41...0x5A).contains(scalar) {
        result.append(UInt8(scalar | 0x20))
        return false
      }
      guard scalar >= 0x80, let scalar = Unicode.Scalar(scalar) else { return true }
      result.append(contentsOf: scalar.properties.lowercaseMapping.utf8)
      return false
    }
  }

  private func replaced(
    _ text: Span<UInt8>, _ pattern: SplitPattern, _ content: [UInt8], _ state: inout EncodingState
  ) throws(TokenizerError) -> [UInt8] {
    var result: [UInt8] = []
    try pattern.forEachPart(of: text, &state) { range, isMatch, state throws(TokenizerError) in
      if isMatch {
        result.append(contentsOf: content)
      } else {
        result.append(text.extracting(range))
      }
      try state.check(byteCount: result.count)
    }
    return result
  }

  private static func stripped(_ text: Span<UInt8>, _ left: Bool, _ right: Bool) -> [UInt8] {
    var (start, end) = (0, text.count)
    while left, start < end, ScalarSet.whiteSpace.contains(text.scalar(at: start).value) {
      start = text.scalarEnd(at: start)
    }
    while right, end > start {
      let last = text.scalarStart(before: end)
      guard ScalarSet.whiteSpace.contains(text.scalar(at: last).value) else { break }
      end = last
    }
    var result: [UInt8] = []
    result.append(text.extracting(start..<end))
    return result
  }

  /// Source: google/sentencepiece, `src/builder.cc`, `BuildNmtNFKCMap`.
  private static func keepsForNMT(_ scalar: UInt32, _ result: inout [UInt8]) -> Bool {
    switch scalar {
    case 0x01...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0x8F, 0x9F: return false
    case 0x09, 0x0A, 0x0C, 0x0D, 0x1680, 0x200B...0x200F, 0x2028, 0x2029, 0x2581, 0xFEFF, 0xFFFD:
      result.append(0x20)
      return false
    default: return true
    }
  }
}
