/// Turns a regular expression into instructions.
struct RegexCompiler {
  private(set) var instructions: [RegexProgram.Instruction] = []
  private(set) var registerCount = 0

  /// Most instructions that a program may have: counts multiply.
  private static let limit = 1 << 14

  mutating func emit(_ instruction: RegexProgram.Instruction) throws(RegexError) {
    guard instructions.count < Self.limit else {
      throw RegexError(reason: "too large once its counts are written out", offset: 0)
    }
    instructions.append(instruction)
  }

  /// Leaves room for an instruction that needs to know what comes later.
  private mutating func reserve() throws(RegexError) -> Int {
    try emit(.match)
    return instructions.count - 1
  }

  mutating func compile(_ node: RegexNode) throws(RegexError) {
    switch node {
    case .set(let set): try emit(.set(set))
    case .sequence(let parts): for part in parts { try compile(part) }
    case .choice(let branches):
      try choice(branches.count) { compiler, index throws(RegexError) in
        try compiler.compile(branches[index])
      }
    case .repeated(let node, let minimum, let maximum, let greed):
      try repeated(node, minimum, maximum, greed)
    case .ahead(let node, let isNegated):
      try ahead(isNegated) { compiler throws(RegexError) in try compiler.compile(node) }
    case .behind(let branches, let isNegated):
      try ahead(isNegated) { compiler throws(RegexError) in
        try compiler.choice(branches.count) { compiler, index throws(RegexError) in
          try compiler.emit(.back(branches[index].length))
          try compiler.compile(branches[index].node)
        }
      }
    case .atomic(let node):
      try emit(.atomic)
      try compile(node)
      try emit(.endAtomic)
    case .lineStart: try emit(.lineStart)
    case .lineEnd: try emit(.lineEnd)
    case .textStart: try emit(.textStart)
    case .textEnd: try emit(.textEnd)
    }
  }

  private mutating func choice(
    _ count: Int, _ branch: (inout RegexCompiler, Int) throws(RegexError) -> Void
  ) throws(RegexError) {
    var jumps: [Int] = []
    for index in 0..<count - 1 {
      let fork = try reserve()
      try branch(&self, index)
      jumps.append(try reserve())
      instructions[fork] = .fork(first: fork + 1, second: instructions.count)
    }
    try branch(&self, count - 1)
    for jump in jumps { instructions[jump] = .jump(instructions.count) }
  }

  private mutating func ahead(
    _ isNegated: Bool, _ body: (inout RegexCompiler) throws(RegexError) -> Void
  ) throws(RegexError) {
    let start = try reserve()
    try body(&self)
    try emit(.endAhead(isNegated: isNegated))
    instructions[start] = .ahead(isNegated: isNegated, next: instructions.count)
  }

  private mutating func repeated(
    _ node: RegexNode, _ minimum: Int, _ maximum: Int?, _ greed: RegexNode.Greed
  ) throws(RegexError) {
    if case .set(let set) = node, greed != .lazy {
      try emit(
        .run(
          set: set, minimum: minimum, maximum: maximum ?? .max,
          isPossessive: greed == .possessive))
      return
    }
    if greed == .possessive {
      try emit(.atomic)
      try repeated(node, minimum, maximum, .greedy)
      try emit(.endAtomic)
      return
    }
    for _ in 0..<minimum { try compile(node) }
    if let maximum {
      var forks: [Int] = []
      for _ in minimum..<maximum {
        forks.append(try reserve())
        try compile(node)
      }
      for fork in forks { setFork(fork, end: instructions.count, greed) }
    } else {
      let fork = try reserve()
      let register = node.canBeEmpty ? registerCount : nil
      if let register {
        registerCount += 1
        try emit(.remember(register))
      }
      try compile(node)
      if let register { try emit(.progress(register)) }
      try emit(.jump(fork))
      setFork(fork, end: instructions.count, greed)
    }
  }

  /// A fork between what follows it and `end`.
  private mutating func setFork(_ fork: Int, end: Int, _ greed: RegexNode.Greed) {
    instructions[fork] =
      greed == .lazy
      ? .fork(first: end, second: fork + 1) : .fork(first: fork + 1, second: end)
  }
}
