import Formats

/// A pattern over tensor names: a glob (`*` any run of characters, `?` any one, the whole name must
/// match), or a regular expression after `re:` (matching anywhere in the name).
///
/// Both are also tried against the module path, the name without `.weight`, since that is what
/// people write: `lm_head`, `model.layers.0.*`.
package struct NamePattern: Sendable {
  package let text: String
  private let regex: RegexBox?

  /// `Regex` is immutable once made.
  private struct RegexBox: @unchecked Sendable { let regex: Regex<AnyRegexOutput> }

  /// - Throws: `PlanError.badPattern` where a regular expression does not parse.
  package init(_ text: String) throws(PlanError) {
    self.text = text
    guard text.hasPrefix("re:") else {
      regex = nil
      return
    }
    do {
      regex = RegexBox(regex: try Regex(String(text.dropFirst(3))))
    } catch {
      throw .badPattern(text)
    }
  }

  package func matches(_ name: String) -> Bool {
    let path = Manifest.Entry.modulePath(of: name)
    if let regex {
      return (try? regex.regex.firstMatch(in: name)) != nil
        || (try? regex.regex.firstMatch(in: path)) != nil
    }
    let glob = Array(text.utf8)
    return Self.glob(glob, matches: Array(name.utf8))
      || (path != name && Self.glob(glob, matches: Array(path.utf8)))
  }

  /// Linear in practice and quadratic at worst: only the last `*` is ever taken up again.
  private static func glob(_ pattern: [UInt8], matches text: [UInt8]) -> Bool {
    var (p, t) = (0, 0)
    var star: (pattern: Int, text: Int)?
    while t < text.count {
      if p < pattern.count, pattern[p] == UInt8(ascii: "*") {
        star = (p, t)
        p += 1
      } else if p < pattern.count, pattern[p] == UInt8(ascii: "?") || pattern[p] == text[t] {
        p += 1
        t += 1
      } else if let last = star {
        star = (last.pattern, last.text + 1)
        p = last.pattern + 1
        t = last.text + 1
      } else {
        return false
      }
    }
    return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
  }
}
