import Formats
import Model

/// Makes windows of questions: for each option the tokens of context and option together, of which those
/// behind the context's are scored. White space at the end of the context counts as the option's beginning.
///
/// Source: EleutherAI/lm-evaluation-harness, `lm_eval/api/model.py` (`TemplateLM._encode_pair`) and
/// `lm_eval/models/huggingface.py` (`HFLM._loglikelihood_tokens`).
package struct ChoiceEncoder {
  private let tokenizer: Tokenizer
  private let beginning: Int?
  private let longest: Int
  private var cache = PieceCache()

  /// - Parameters:
  ///   - beginning: stands for a context that has no tokens.
  ///   - longest: tokens of a window; of longer contexts the last tokens are kept.
  package init(_ tokenizer: Tokenizer, beginning: Int?, longest: Int) {
    self.tokenizer = tokenizer
    self.beginning = beginning
    self.longest = longest
  }

  /// With the tokenizer and the limits of a model.
  ///
  /// - Throws: `TokenizerError`, `ForwardError.badSpecialToken`, `FileError`.
  package init(for model: ForwardModel) throws {
    let tokens = try SequenceTokens(of: model.checkpoint)
    self.init(
      try Tokenizer(path: model.checkpoint.home), beginning: tokens.beginning ?? tokens.ends.first,
      longest: model.description.contextLength ?? .max - 1)
  }

  /// One window for each option.
  ///
  /// - Throws: `ChoiceError`, `TokenizerError`.
  package mutating func windows(of question: ChoiceQuestion) throws -> [ScoredWindow] {
    let (context, spaces) = Self.split(question.context)
    var given = try encode(context)
    let scoredFrom = given.count
    if given.isEmpty {
      guard let beginning else { throw ChoiceError.noBeginning }
      given = [beginning]
    }
    return try question.options.enumerated().map { index, option in
      let targets = Array(try encode(context + spaces + option).dropFirst(scoredFrom))
      guard !targets.isEmpty else { throw ChoiceError.noTokens(option: index) }
      guard targets.count <= longest else {
        throw ChoiceError.tooManyTokens(option: index, count: targets.count, longest: longest)
      }
      // Nothing is predicted from the last token: the model is not run over it.
      return ScoredWindow(
        tokens: Array((given + targets).suffix(longest + 1).dropLast()), targets: targets)
    }
  }

  private mutating func encode(_ text: String) throws(TokenizerError) -> [Int] {
    let bytes = Array(text.utf8)
    let ids = try tokenizer.encode(bytes.span, addSpecialTokens: false, cache: &cache)
    return (tokenizer.leadingTokens + ids).map { Int($0) }
  }

  /// The text without white space at its end, and that white space.
  private static func split(_ text: String) -> (String, String) {
    let scalars = text.unicodeScalars
    let end = scalars.lastIndex { !isSpace($0) }.map(scalars.index(after:)) ?? scalars.startIndex
    return (String(scalars[..<end]), String(scalars[end...]))
  }

  /// As Python's `str.isspace`, which has four separators more than Unicode's property.
  private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value)
  }
}
