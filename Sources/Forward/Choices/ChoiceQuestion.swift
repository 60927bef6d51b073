import Formats

/// A question of a multiple-choice test: which of its options continues a text?
package struct ChoiceQuestion: Sendable, Equatable {
  package let context: String
  /// Two or more, none of them empty.
  package let options: [String]
  /// The right one, from 0.
  package let answer: Int

  /// - Parameter json: `{"context": "…", "options": ["…", "…"], "answer": 0}`; other members do not matter.
  /// - Throws: `ChoiceError`.
  package init(json: JSONValue) throws(ChoiceError) {
    guard let context = json["context"]?.stringValue else {
      throw .missing(key: "context", kind: "a text")
    }
    guard let listed = json["options"]?.arrayValue else {
      throw .missing(key: "options", kind: "a list of texts")
    }
    guard let answer = json["answer"]?.intValue else {
      throw .missing(key: "answer", kind: "a whole number")
    }
    guard listed.count >= 2 else { throw .tooFewOptions(listed.count) }
    var options: [String] = []
    for (index, value) in listed.enumerated() {
      guard let option = value.stringValue else { throw .optionNotText(index) }
      guard !option.isEmpty else { throw .emptyOption(index) }
      options.append(option)
    }
    guard options.indices.contains(answer) else {
      throw .answerOutOfRange(answer, options: options.count)
    }
    self.context = context
    self.options = options
    self.answer = answer
  }
}
