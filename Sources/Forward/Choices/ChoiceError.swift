import Formats

/// What is wrong with a question of a multiple-choice test. Options count from 0, as answers do.
package enum ChoiceError: DescribedError, Equatable {
  case missing(key: String, kind: String)
  case tooFewOptions(Int)
  case optionNotText(Int)
  case emptyOption(Int)
  case answerOutOfRange(Int, options: Int)
  /// All text of the option has gone into tokens of the context.
  case noTokens(option: Int)
  /// More than a window of the model.
  case tooManyTokens(option: Int, count: Int, longest: Int)
  /// Nothing stands before the option, and no file names a token that could.
  case noBeginning

  package var message: String {
    switch self {
    case .missing(let key, let kind): "there is no '\(key)' that is \(kind)"
    case .tooFewOptions(let count):
      "'options' has \(count); a question has two or more"
    case .optionNotText(let option): "option \(option) is no text"
    case .emptyOption(let option): "option \(option) is empty"
    case .answerOutOfRange(let answer, let options):
      "'answer' is \(answer); options count from 0 to \(options - 1)"
    case .noTokens(let option): "option \(option) makes no token of its own after the context"
    case .tooManyTokens(let option, let count, let longest):
      "option \(option) has \(count) tokens; the model takes \(longest)"
    case .noBeginning:
      "the context has no tokens, and no bos_token_id or eos_token_id could stand for it"
    }
  }

  package var hint: String? { nil }
}
