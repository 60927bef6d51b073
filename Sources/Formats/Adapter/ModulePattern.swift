/// A key of `rank_pattern` or `alpha_pattern`: a regular expression that must match a module's name,
/// or its end after a dot.
///
/// Source: huggingface/peft, `utils/other.py`: `re.match(r"(.*\.)?(KEY)$", name)`. The keys come from
/// a file that nobody vouches for, so they are not given to a backtracking matcher: `Expression`
/// takes the part of the language that module names need, in bounded time.
struct ModulePattern {
  private let expression: Expression
  let value: Double

  init(_ pattern: AdapterConfig.Pattern, path: String) throws(AdapterError) {
    guard let expression = Expression(pattern.key) else {
      throw .hardPattern(path: path, pattern: pattern.key)
    }
    self.expression = expression
    value = pattern.value
  }

  func matches(_ module: String) -> Bool {
    let name = Array(module.utf8)
    // Where the key may begin: at the name's start, and after each of its dots.
    var starts = [Bool](repeating: false, count: name.count + 1)
    starts[0] = true
    for (index, byte) in name.enumerated() where byte == UInt8(ascii: ".") {
      starts[index + 1] = true
    }
    return expression.matches(name, from: starts)
  }
}

/// A small regular expression: characters, `.`, `\d`, `\w`, `\.`, classes, groups, `|`, `*`, `+`,
/// `?`, `^` and `$`, over bytes.
///
/// It is matched without going back, in a time that grows with the name's length times its own.
struct Expression {
  indirect enum Node {
    case byte(Set<UInt8>)
    case start
    case end
    case sequence([Node])
    case choice([Node])
    /// At least `minimum` times, 0 or 1; once at most where `isSingle`.
    case repeated(Node, minimum: Int, isSingle: Bool)
  }

  private let program: ExpressionProgram

  private static let longest = 256
  private static let deepestRepetition = 2
  private static let deepestGroup = 16

  /// Nil for what is broken, too long, or outside the language.
  init?(_ text: String) {
    let bytes = Array(text.utf8)
    guard bytes.count <= Self.longest else { return nil }
    var rest = bytes[...]
    guard let node = Self.choice(&rest, depth: 0), rest.isEmpty,
      Self.repetitionDepth(node) <= Self.deepestRepetition
    else { return nil }
    program = ExpressionProgram(node)
  }

  /// Whether a match that begins at one of the positions `starts`, which count from 0 to the length
  /// of `name`, ends with `name`.
  func matches(_ name: [UInt8], from starts: [Bool]) -> Bool {
    program.matches(name, from: starts)
  }

  private static func repetitionDepth(_ node: Node) -> Int {
    switch node {
    case .byte, .start, .end: 0
    case .sequence(let nodes), .choice(let nodes): nodes.map(repetitionDepth).max() ?? 0
    case .repeated(let node, _, let isSingle): repetitionDepth(node) + (isSingle ? 0 : 1)
    }
  }

  private static func choice(_ rest: inout ArraySlice<UInt8>, depth: Int) -> Node? {
    guard depth <= deepestGroup, let first = sequence(&rest, depth: depth) else { return nil }
    var nodes = [first]
    while rest.first == UInt8(ascii: "|") {
      rest.removeFirst()
      guard let next = sequence(&rest, depth: depth) else { return nil }
      nodes.append(next)
    }
    return .choice(nodes)
  }

  private static func sequence(_ rest: inout ArraySlice<UInt8>, depth: Int) -> Node? {
    var nodes: [Node] = []
    while let byte = rest.first, byte != UInt8(ascii: "|"), byte != UInt8(ascii: ")") {
      guard var node = atom(&rest, depth: depth) else { return nil }
      switch rest.first {
      case UInt8(ascii: "*"): node = .repeated(node, minimum: 0, isSingle: false)
      case UInt8(ascii: "+"): node = .repeated(node, minimum: 1, isSingle: false)
      case UInt8(ascii: "?"): node = .repeated(node, minimum: 0, isSingle: true)
      default:
        nodes.append(node)
        continue
      }
      rest.removeFirst()
      // A second mark would make it lazy or possessive: no other match, but another language.
      if let next = rest.first,
        [UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?")].contains(next)
      {
        return nil
      }
      nodes.append(node)
    }
    return .sequence(nodes)
  }

  private static func atom(_ rest: inout ArraySlice<UInt8>, depth: Int) -> Node? {
    switch rest.removeFirst() {
    case UInt8(ascii: "."): return .byte(Set(0...255).subtracting([UInt8(ascii: "\n")]))
    case UInt8(ascii: "^"): return .start
    case UInt8(ascii: "$"): return .end
    case UInt8(ascii: "\\"): return escape(&rest).map { .byte($0) }
    case UInt8(ascii: "["): return set(&rest).map { .byte($0) }
    case UInt8(ascii: "("):
      if rest.first == UInt8(ascii: "?") {
        guard rest.starts(with: Array("?:".utf8)) else { return nil }
        rest.removeFirst(2)
      }
      guard let node = choice(&rest, depth: depth + 1), rest.popFirst() == UInt8(ascii: ")") else {
        return nil
      }
      return node
    case UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"), UInt8(ascii: "{"),
      UInt8(ascii: "}"), UInt8(ascii: "]"):
      return nil
    case let byte: return byte < 0x80 ? .byte([byte]) : nil
    }
  }

  private static let digits = Set(UInt8(ascii: "0")...UInt8(ascii: "9"))
  private static let letters = Set(UInt8(ascii: "a")...UInt8(ascii: "z"))
    .union(UInt8(ascii: "A")...UInt8(ascii: "Z"))

  private static func escape(_ rest: inout ArraySlice<UInt8>) -> Set<UInt8>? {
    guard let byte = rest.popFirst() else { return nil }
    switch byte {
    case UInt8(ascii: "d"): return digits
    case UInt8(ascii: "w"): return digits.union(letters).union([UInt8(ascii: "_")])
    // Other letters and digits stand for more than themselves.
    case let byte where digits.contains(byte) || letters.contains(byte) || byte >= 0x80: return nil
    default: return [byte]
    }
  }

  /// A class, after its opening bracket.
  private static func set(_ rest: inout ArraySlice<UInt8>) -> Set<UInt8>? {
    var set: Set<UInt8> = []
    let isNegated = rest.first == UInt8(ascii: "^")
    if isNegated { rest.removeFirst() }
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "]") {
        guard !set.isEmpty else { return nil }
        return isNegated ? Set(0...255).subtracting(set) : set
      }
      if byte == UInt8(ascii: "\\") {
        guard let escaped = escape(&rest) else { return nil }
        set.formUnion(escaped)
      } else if rest.first == UInt8(ascii: "-"), let last = rest.dropFirst().first,
        last != UInt8(ascii: "]")
      {
        guard byte <= last, byte < 0x80, last < 0x80, last != UInt8(ascii: "\\") else { return nil }
        set.formUnion(byte...last)
        rest.removeFirst(2)
      } else {
        guard byte < 0x80 else { return nil }
        set.insert(byte)
      }
    }
    return nil
  }
}
