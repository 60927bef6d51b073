import Formats

/// Why a tokenizer was refused, or why it cannot do with a text what was asked. `component` is the place
/// in the file, as in `pre_tokenizer.pretokenizers[1]`.
package enum TokenizerError: DescribedError, Equatable {
  /// The directory has no `tokenizer.json`; `found` are the other tokenizer files that it has.
  case missing(directory: String, found: [String])
  case badJSON(path: String, reason: String, offset: Int)
  case malformed(path: String, component: String, reason: String)
  case unsupported(path: String, component: String, feature: String)
  /// A merge of pieces one of which, or the result of which, is in no vocabulary. Merges count from 0.
  case unknownMerge(path: String, merge: Int, piece: String)
  /// Byte `offset` of the text begins no UTF-8 character.
  case textNotUTF8(offset: Int)
  case textTooLong(byteCount: Int, limit: Int)
  /// A pattern takes more steps on a text than its length justifies.
  case patternTooSlow(String)
  /// Steps before the model make a text far longer than it was.
  case textGrows(byteCount: Int, limit: Int)
  /// The text has something that is not in the vocabulary, and nothing stands for what is not.
  case noUnknownToken(String)
  /// A replacement that the table of a `Precompiled` normalizer names is not in it.
  case badCharsmap(offset: Int)
  case unknownId(Int32)

  package var message: String {
    switch self {
    case .missing(let directory, let found):
      found.isEmpty
        ? "\(directory) has no tokenizer.json"
        : "\(directory) has no tokenizer.json, and \(found.joined(separator: ", ")) "
          + (found.count == 1 ? "is" : "are") + " not supported"
    case .badJSON(let path, let reason, let offset): "\(path): \(reason) (byte \(offset))"
    case .malformed(let path, let component, let reason): "\(path): \(component): \(reason)"
    case .unsupported(let path, let component, let feature):
      "\(path): \(component): \(feature) is not supported"
    case .unknownMerge(let path, let merge, let piece):
      "\(path): model.merges[\(merge)]: '\(piece)' is not in the vocabulary"
    case .textNotUTF8(let offset): "the text is not UTF-8 at byte \(offset)"
    case .textTooLong(let byteCount, let limit):
      "the text has \(byteCount) bytes, more than the \(limit) that one may have"
    case .patternTooSlow(let pattern): "the pattern '\(pattern)' takes too many steps on this text"
    case .textGrows(let byteCount, let limit):
      "the tokenizer makes \(byteCount) bytes or more of the text, beyond the limit of \(limit)"
    case .noUnknownToken(let reason):
      "the text has a character that is not in the vocabulary, and \(reason)"
    case .badCharsmap(let offset):
      "the table of the Precompiled normalizer has no replacement at \(offset)"
    case .unknownId(let id): "no token has the id \(id)"
    }
  }

  package var hint: String? {
    switch self {
    case .missing(_, let found):
      found.isEmpty
        ? nil : "save the tokenizer with transformers, which writes a tokenizer.json"
    default: nil
    }
  }
}
