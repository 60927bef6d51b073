/// A regular expression as steps for a machine that is in many places at once: each byte of a name
/// is looked at once for each step, whatever the expression.
///
/// Source: K. Thompson, "Regular expression search algorithm", Communications of the ACM 11, 1968.
struct ExpressionProgram {
  private enum Step {
    /// Goes on to the next step with a byte that the table has.
    case byte([Bool])
    case start
    case end
    /// Goes on at both of these.
    case fork(Int, Int)
    case match
  }

  private var steps: [Step] = []

  init(_ expression: Expression.Node) {
    compile(expression)
    steps.append(.match)
  }

  private mutating func compile(_ node: Expression.Node) {
    switch node {
    case .byte(let set): steps.append(.byte((0...255).map { set.contains($0) }))
    case .start: steps.append(.start)
    case .end: steps.append(.end)
    case .sequence(let nodes):
      for node in nodes { compile(node) }
    case .choice(let nodes):
      var exits: [Int] = []
      for node in nodes.dropLast() {
        let fork = reserve()
        compile(node)
        exits.append(reserve())
        steps[fork] = .fork(fork + 1, steps.count)
      }
      if let last = nodes.last { compile(last) }
      for exit in exits { steps[exit] = .fork(steps.count, steps.count) }
    case .repeated(let node, let minimum, let isSingle):
      let fork = minimum == 0 ? reserve() : nil
      let first = steps.count
      compile(node)
      if !isSingle { steps.append(.fork(first, steps.count + 1)) }
      if let fork { steps[fork] = .fork(first, steps.count) }
    }
  }

  /// Makes room for a fork whose ways are not known yet.
  private mutating func reserve() -> Int {
    steps.append(.match)
    return steps.count - 1
  }

  /// Whether a match that begins at one of the positions `starts`, which count from 0 to the length
  /// of `name`, reaches the end of `name`.
  func matches(_ name: [UInt8], from starts: [Bool]) -> Bool {
    var places = Places(steps.count)
    var next = Places(steps.count)
    for position in 0...name.count {
      if starts[position] { enter(0, at: position, of: name.count, &places) }
      guard position < name.count else { break }
      for step in places.list {
        if case .byte(let table) = steps[step], table[Int(name[position])] {
          enter(step + 1, at: position + 1, of: name.count, &next)
        }
      }
      swap(&places, &next)
      next.removeAll()
    }
    return places.contains(steps.count - 1)
  }

  /// Adds a step, and those that are reached from it without a byte.
  private func enter(_ step: Int, at position: Int, of count: Int, _ places: inout Places) {
    var open = [step]
    while let step = open.popLast() {
      guard places.insert(step) else { continue }
      switch steps[step] {
      case .start where position == 0, .end where position == count: open.append(step + 1)
      case .fork(let first, let second): open += [second, first]
      case .byte, .start, .end, .match: break
      }
    }
  }

  /// Steps, each once.
  private struct Places {
    private(set) var list: [Int] = []
    private var isIn: [Bool]

    init(_ count: Int) { isIn = [Bool](repeating: false, count: count) }

    func contains(_ step: Int) -> Bool { isIn[step] }

    mutating func insert(_ step: Int) -> Bool {
      guard !isIn[step] else { return false }
      isIn[step] = true
      list.append(step)
      return true
    }

    mutating func removeAll() {
      for step in list { isIn[step] = false }
      list.removeAll(keepingCapacity: true)
    }
  }
}
