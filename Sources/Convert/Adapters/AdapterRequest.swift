import Formats

/// An adapter as asked for: where it lies, and how strongly it counts.
package struct AdapterRequest: Sendable, Equatable {
  package let path: String
  package let weight: Double

  package init(path: String, weight: Double = 1) {
    self.path = path
    self.weight = weight
  }

  /// Parses `DIR` or `DIR=WEIGHT`. A directory whose own name reads like the latter is a directory.
  package init(parsing text: String) throws(MergeError) {
    guard !FileStatus.exists(text), let equals = text.lastIndex(of: "=") else {
      self.init(path: text)
      return
    }
    let path = String(text[..<equals])
    guard !path.isEmpty, let weight = Double(text[text.index(after: equals)...]), weight.isFinite,
      weight != 0
    else { throw .badRequest(text) }
    self.init(path: path, weight: weight)
  }
}
