/// A key of `rank_pattern` or `alpha_pattern`: a regular expression that must match a module's name,
/// or its end after a dot.
///
/// Source: huggingface/peft, `utils/other.py`: `re.match(r"(.*\.)?(KEY)$", name)`. The keys come from
/// a file that nobody vouches for, so expressions that a backtracking matcher could take forever
/// over are refused: nested repetition, many repetitions, back references.
struct ModulePattern {
  private enum Matcher {
    /// Name characters and dots only; a dot stands for any character.
    case plain([UInt8])
    case expression(Regex<AnyRegexOutput>)
  }

  private let matcher: Matcher
  let value: Double

  private static let longestExpression = 256
  private static let mostRepetitions = 3

  init(_ pattern: AdapterConfig.Pattern, path: String) throws(AdapterError) {
    value = pattern.value
    let key = Array(pattern.key.utf8)
    if key.allSatisfy({ Self.isPlain($0) }) {
      matcher = .plain(key)
      return
    }
    guard Self.isBounded(key), let regex = try? Regex("(?:.*\\.)?(?:\(pattern.key))") else {
      throw .hardPattern(path: path, pattern: pattern.key)
    }
    matcher = .expression(regex)
  }

  func matches(_ module: String) -> Bool {
    switch matcher {
    case .plain(let key):
      let name = Array(module.utf8)
      guard name.count >= key.count else { return false }
      let start = name.count - key.count
      guard start == 0 || name[start - 1] == UInt8(ascii: ".") else { return false }
      return zip(key, name[start...]).allSatisfy { $0 == UInt8(ascii: ".") || $0 == $1 }
    case .expression(let regex):
      return (try? regex.wholeMatch(in: module)) != nil
    }
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."),
      UInt8(ascii: "-"):
      true
    default: false
    }
  }

  /// Whether matching takes at most a small power of the name's length.
  private static func isBounded(_ key: [UInt8]) -> Bool {
    guard key.count <= longestExpression else { return false }
    var repetitions = 0
    for (index, byte) in key.enumerated() {
      let previous = index > 0 ? key[index - 1] : 0
      switch byte {
      case UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "{"):
        guard previous != UInt8(ascii: ")") else { return false }
        repetitions += 1
      case UInt8(ascii: "1")...UInt8(ascii: "9"):
        guard previous != UInt8(ascii: "\\") else { return false }
      default: break
      }
    }
    return repetitions <= mostRepetitions
  }
}
