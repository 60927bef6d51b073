/// A regular expression as instructions for `RegexMachine`.
final class RegexProgram: Sendable {
  enum Instruction {
    /// One scalar of the set with this number.
    case set(Int)
    /// As many scalars of a set as there are; fewer are tried later, unless it is possessive.
    case run(set: Int, minimum: Int, maximum: Int, isPossessive: Bool)
    case jump(Int)
    /// Goes on at `first`; at `second` if that comes to nothing.
    case fork(first: Int, second: Int)
    /// Looks ahead; what is between here and `endAhead` must match, or must not, to go on at `next`.
    case ahead(isNegated: Bool, next: Int)
    case endAhead(isNegated: Bool)
    case atomic
    case endAtomic
    /// Steps back over scalars.
    case back(Int)
    /// Remembers the place in a register.
    case remember(Int)
    /// Fails at the place that the register has: a loop would not get further.
    case progress(Int)
    case lineStart
    case lineEnd
    case textStart
    case textEnd
    case match
  }

  /// As it was written.
  let pattern: String
  let instructions: [Instruction]
  let sets: [ScalarSet]
  let registerCount: Int
  /// Which bytes a match can begin with; nil where it can be empty.
  let firstBytes: [Bool]?
  /// The set of a run without an end that the whole pattern begins with: where a match does not begin at
  /// one scalar of it, it does not begin at the next either.
  let leadingRun: Int?

  convenience init(_ pattern: String) throws(RegexError) {
    let (node, sets) = try RegexParser.parse(pattern)
    try self.init(node, sets: sets, pattern: pattern)
  }

  init(_ node: RegexNode, sets: [ScalarRanges], pattern: String) throws(RegexError) {
    var compiler = RegexCompiler()
    try compiler.compile(node)
    try compiler.emit(.match)
    self.pattern = pattern
    instructions = compiler.instructions
    registerCount = compiler.registerCount
    self.sets = sets.map(ScalarSet.init)
    let beginning = node.beginning(sets)
    firstBytes = beginning.canBeEmpty ? nil : Self.firstBytes(beginning.first)
    leadingRun =
      if case .run(let set, minimum: 1, maximum: .max, _) = instructions[0] { set } else { nil }
  }

  private static func firstBytes(_ ranges: ScalarRanges) -> [Bool] {
    var bytes = [Bool](repeating: false, count: 256)
    for range in ranges.ranges {
      for byte in firstByte(range.lowerBound)...firstByte(range.upperBound) where !isInner(byte) {
        bytes[Int(byte)] = true
      }
    }
    return bytes
  }

  private static func isInner(_ byte: UInt8) -> Bool { (0x80..<0xC0).contains(byte) }

  /// The first byte of a scalar in UTF-8; it grows with the scalar.
  private static func firstByte(_ scalar: UInt32) -> UInt8 {
    var bytes: [UInt8] = []
    bytes.append(scalar: scalar)
    return bytes[0]
  }
}

extension RegexNode {
  /// Which scalars a match can begin with, and whether it can be empty. Where it looks at what is around
  /// it, the answer may have more scalars than there are.
  func beginning(_ sets: [ScalarRanges]) -> (first: ScalarRanges, canBeEmpty: Bool) {
    switch self {
    case .set(let set): return (sets[set], false)
    case .sequence(let parts):
      var first = ScalarRanges()
      for part in parts {
        let next = part.beginning(sets)
        first = first.union(next.first)
        if !next.canBeEmpty { return (first, false) }
      }
      return (first, true)
    case .choice(let branches):
      let all = branches.map { $0.beginning(sets) }
      return (
        all.reduce(ScalarRanges()) { $0.union($1.first) }, all.contains { $0.canBeEmpty }
      )
    case .repeated(let node, let minimum, _, _):
      let inner = node.beginning(sets)
      return (inner.first, minimum == 0 || inner.canBeEmpty)
    case .atomic(let node): return node.beginning(sets)
    case .ahead, .behind, .lineStart, .lineEnd, .textStart, .textEnd:
      return (ScalarRanges(), true)
    }
  }

  var canBeEmpty: Bool {
    switch self {
    case .set: false
    case .sequence(let parts): parts.allSatisfy(\.canBeEmpty)
    case .choice(let branches): branches.contains(where: \.canBeEmpty)
    case .repeated(let node, let minimum, _, _): minimum == 0 || node.canBeEmpty
    case .atomic(let node): node.canBeEmpty
    case .ahead, .behind, .lineStart, .lineEnd, .textStart, .textEnd: true
    }
  }
}
