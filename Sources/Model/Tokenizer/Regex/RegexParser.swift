/// Reads the regular expressions of tokenizers: the part of Oniguruma's Ruby syntax that they use, by
/// Unicode scalars. Whatever else that syntax has is refused, not guessed.
///
/// Traps: `{1,3}+` is a repeated interval and not a possessive one; `$` and `^` are about every line;
/// classes nest and intersect.
///
/// Source: kkos/oniguruma, `doc/RE` and `doc/SYNTAX.md`, ONIG_SYNTAX_RUBY.
struct RegexParser {
  let pattern: [UInt32]
  var offset = 0
  /// Inside of `(?i:`.
  private var ignoresCase = false
  private var depth = 0
  /// Every set that the pattern has, once.
  private(set) var sets: [ScalarRanges] = []

  private static let longest = 1 << 16
  static let deepest = 50
  private static let largestCount = 1000
  /// Behind one atom.
  private static let mostQuantifiers = 4

  private init(_ pattern: String) { self.pattern = pattern.unicodeScalars.map(\.value) }

  static func parse(
    _ pattern: String
  ) throws(RegexError) -> (node: RegexNode, sets: [ScalarRanges]) {
    var parser = RegexParser(pattern)
    guard parser.pattern.count <= longest else { throw parser.error("too long") }
    let node = try parser.choice()
    guard parser.offset == parser.pattern.count else { throw parser.error("unmatched ')'") }
    return (node, parser.sets)
  }

  // MARK: - Scalars of the pattern

  func error(_ reason: String) -> RegexError { RegexError(reason: reason, offset: offset) }

  var next: UInt32? { offset < pattern.count ? pattern[offset] : nil }

  func isNext(_ text: StaticString) -> Bool {
    var index = offset
    for scalar in text.description.unicodeScalars {
      guard index < pattern.count, pattern[index] == scalar.value else { return false }
      index += 1
    }
    return true
  }

  mutating func take(_ text: StaticString) -> Bool {
    guard isNext(text) else { return false }
    offset += text.description.unicodeScalars.count
    return true
  }

  mutating func takeScalar() throws(RegexError) -> UInt32 {
    guard let next else { throw error("ends early") }
    offset += 1
    return next
  }

  /// A name up to a closing brace, which is stepped over.
  mutating func takeName() throws(RegexError) -> String {
    var name = ""
    while true {
      let scalar = try takeScalar()
      if scalar == UInt32(UInt8(ascii: "}")) { return name }
      name.unicodeScalars.append(Unicode.Scalar(scalar) ?? "\u{FFFD}")
    }
  }

  mutating func set(_ ranges: ScalarRanges) -> RegexNode {
    if let known = sets.firstIndex(of: ranges) { return .set(known) }
    sets.append(ranges)
    return .set(sets.count - 1)
  }

  // MARK: - Grammar

  private mutating func choice() throws(RegexError) -> RegexNode {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.deepest else { throw error("nested too deeply") }
    var branches = [try sequence()]
    while take("|") { branches.append(try sequence()) }
    return branches.count == 1 ? branches[0] : .choice(branches)
  }

  private mutating func sequence() throws(RegexError) -> RegexNode {
    var parts: [RegexNode] = []
    while next != nil, !isNext("|"), !isNext(")") {
      let isFolded = ignoresCase
      let start = offset
      parts.append(try quantified(try atom()))
      if isFolded { try checkFolding(before: start) }
    }
    return parts.count == 1 ? parts[0] : .sequence(parts)
  }

  private mutating func group() throws(RegexError) -> RegexNode {
    let node = try choice()
    guard take(")") else { throw error("a group is not closed") }
    return node
  }

  private mutating func atom() throws(RegexError) -> RegexNode {
    if take("(?i:") {
      let outer = ignoresCase
      ignoresCase = true
      defer { ignoresCase = outer }
      return try group()
    }
    if take("(?:") { return try group() }
    if take("(?=") { return .ahead(try group(), isNegated: false) }
    if take("(?!") { return .ahead(try group(), isNegated: true) }
    if take("(?<=") { return try behind(isNegated: false) }
    if take("(?<!") { return try behind(isNegated: true) }
    if take("(?>") { return .atomic(try group()) }
    if isNext("(?") { throw error("this kind of group is not supported") }
    if take("(") { return try group() }
    if take("[") { return set(try bracket(depth: 1)) }
    if take("^") { return .lineStart }
    if take("$") { return .lineEnd }
    if take(".") { return set(ScalarRanges(scalar: 0x0A).inverted) }
    if isNext("*") || isNext("+") || isNext("?") || isNext("{") {
      throw error("there is nothing to repeat")
    }
    if take("\\A") { return .textStart }
    if take("\\z") { return .textEnd }
    if take("\\") { return set(try escape()) }
    return set(try literal(try takeScalar()))
  }

  private mutating func behind(isNegated: Bool) throws(RegexError) -> RegexNode {
    let start = offset
    let node = try group()
    let branches = if case .choice(let branches) = node { branches } else { [node] }
    var measured: [(node: RegexNode, length: Int)] = []
    for branch in branches {
      guard let length = branch.length else {
        throw RegexError(reason: "looks behind for text of no fixed length", offset: start)
      }
      measured.append((branch, length))
    }
    return .behind(measured, isNegated: isNegated)
  }

  private mutating func quantified(_ atom: RegexNode) throws(RegexError) -> RegexNode {
    var node = atom
    var isInterval: Bool
    var levels = 0
    while let next {
      var (minimum, maximum): (Int, Int?) = (0, nil)
      isInterval = false
      switch next {
      case UInt32(UInt8(ascii: "*")): offset += 1
      case UInt32(UInt8(ascii: "+")):
        minimum = 1
        offset += 1
      case UInt32(UInt8(ascii: "?")):
        maximum = 1
        offset += 1
      case UInt32(UInt8(ascii: "{")):
        (minimum, maximum) = try interval()
        isInterval = true
      default: return node
      }
      levels += 1
      guard levels <= Self.mostQuantifiers else { throw error("repeated too often") }
      var greed = RegexNode.Greed.greedy
      if take("?") {
        greed = .lazy
      } else if !isInterval, take("+") {
        greed = .possessive
      }
      node = .repeated(node, minimum: minimum, maximum: maximum, greed)
    }
    return node
  }

  /// `{2}`, `{2,}`, `{,3}` or `{2,3}`.
  private mutating func interval() throws(RegexError) -> (minimum: Int, maximum: Int?) {
    let start = offset
    offset += 1
    let body = try takeName()
    let parts = body.split(separator: ",", omittingEmptySubsequences: false)
    let wrong = RegexError(reason: "'{\(body)}' is no supported interval", offset: start)
    guard parts.count <= 2, parts.contains(where: { !$0.isEmpty }),
      parts.allSatisfy({ $0.isEmpty || Int($0) != nil && $0.allSatisfy(\.isNumber) })
    else { throw wrong }
    let minimum = Int(parts[0]) ?? 0
    let maximum = parts.count == 1 ? minimum : Int(parts[1])
    guard minimum >= 0, minimum <= maximum ?? minimum, maximum ?? minimum <= Self.largestCount
    else { throw wrong }
    return (minimum, maximum)
  }

  // MARK: - Letters of either case

  /// `scalar`, and inside of `(?i:` its other cases too.
  mutating func literal(_ scalar: UInt32) throws(RegexError) -> ScalarRanges {
    let plain = ScalarRanges(scalar: scalar)
    return ignoresCase ? try folded(plain) : plain
  }

  /// ASCII with what equals it in another case: the other one, the long s, the Kelvin sign.
  func folded(_ ranges: ScalarRanges) throws(RegexError) -> ScalarRanges {
    guard ignoresCase else { return ranges }
    guard ranges.ranges.allSatisfy({ $0.upperBound < 0x80 }) else {
      throw error("ignoring case is supported for ASCII only")
    }
    var all = ranges.ranges
    for letter in UInt32(0x61)...0x7A where ranges.contains(letter) || ranges.contains(letter - 32)
    {
      all += [letter...letter, letter - 32...letter - 32]
      if letter == 0x73 { all.append(0x17F...0x17F) }
      if letter == 0x6B { all.append(0x212A...0x212A) }
    }
    return ScalarRanges(all)
  }

  /// Ignoring case, `ss` would equal one character, and so would other pairs of letters.
  private func checkFolding(before start: Int) throws(RegexError) {
    guard start > 0, start < pattern.count,
      let first = Unicode.Scalar(pattern[start - 1]), let second = Unicode.Scalar(pattern[start])
    else { return }
    let pair = "\(first)\(second)".lowercased()
    if ["ss", "ff", "fi", "fl", "st"].contains(pair) {
      throw error("'\(pair)' that ignores case is not supported")
    }
  }
}

extension RegexNode {
  /// How many scalars it matches, where that is the same for all matches.
  var length: Int? {
    switch self {
    case .set: return 1
    case .sequence(let parts):
      return parts.reduce(0) { sum, part in
        guard let sum, let length = part.length else { return nil }
        return sum + length
      }
    case .choice(let branches):
      let lengths = Set(branches.map(\.length))
      return lengths.count == 1 ? lengths.first.flatMap(\.self) : nil
    case .repeated(let node, let minimum, let maximum, _):
      guard minimum == maximum, let length = node.length else { return nil }
      let (product, overflow) = length.multipliedReportingOverflow(by: minimum)
      return overflow ? nil : product
    case .atomic(let node): return node.length
    case .ahead, .behind, .lineStart, .lineEnd, .textStart, .textEnd: return 0
    }
  }
}
