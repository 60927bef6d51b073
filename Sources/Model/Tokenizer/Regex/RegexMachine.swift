/// Carries out regular expressions: what was put off waits on a stack of its own, and steps are counted,
/// so that neither a text nor a pattern can make it run forever or out of memory.
struct RegexMachine {
  private struct Frame {
    enum Kind {
      /// Goes on at `instruction`.
      case resume
      /// A run that still may get shorter, down to `value`; then goes on at `instruction`.
      case shorten
      /// Where something began that is left as a whole.
      case mark
      /// The same for what must not match: goes on at `instruction`.
      case negatedMark
      /// Gives a register back the value that it had.
      case restore
    }

    let kind: Kind
    let instruction: Int
    let position: Int
    var value = 0
  }

  private var stack: [Frame] = []
  /// Where on the stack the marks are.
  private var marks: [Int] = []
  private var registers: [Int] = []
  private var stepsLeft = 0

  private static let deepest = 1 << 21
  private static let fewestSteps = 10_000_000
  /// Real patterns take about ten.
  private static let stepsPerByte = 500

  /// Allows for as many steps as a text of this size may take.
  mutating func begin(byteCount: Int) {
    let (product, overflow) = byteCount.multipliedReportingOverflow(by: Self.stepsPerByte)
    begin(stepLimit: Self.fewestSteps + (overflow ? Int.max / 2 : product))
  }

  mutating func begin(stepLimit: Int) { stepsLeft = stepLimit }

  /// The first match that begins at `offset` or behind it.
  ///
  /// - Parameter taken: where an empty match does not count: the end of the match before.
  mutating func firstMatch(
    of program: RegexProgram, in text: Span<UInt8>, from offset: Int, taken: Int
  ) throws(TokenizerError) -> Range<Int>? {
    var start = offset
    while start <= text.count {
      if let firstBytes = program.firstBytes {
        while start < text.count, !firstBytes[Int(text[start])] { start += 1 }
        if start == text.count { return nil }
      }
      if let end = try matchEnd(of: program, in: text, at: start), end > start || end != taken {
        return start..<end
      }
      guard start < text.count else { return nil }
      start = end(of: program.leadingRun.map { program.sets[$0] }, in: text, from: start)
    }
    return nil
  }

  /// Where the next match may begin, if none does at `start`: behind a run of `set` that is there, else
  /// behind one scalar.
  private func end(of set: ScalarSet?, in text: Span<UInt8>, from start: Int) -> Int {
    var end = start
    while let set, end < text.count {
      let scalar = text.scalar(at: end)
      guard set.contains(scalar.value) else { break }
      end += scalar.byteCount
    }
    return end > start ? end : text.scalarEnd(at: start)
  }

  /// Where the match ends that begins at `start`, nil where none does.
  mutating func matchEnd(
    of program: RegexProgram, in text: Span<UInt8>, at start: Int
  ) throws(TokenizerError) -> Int? {
    stack.removeAll(keepingCapacity: true)
    marks.removeAll(keepingCapacity: true)
    if registers.count < program.registerCount {
      registers = [Int](repeating: 0, count: program.registerCount)
    }
    let instructions = program.instructions
    var (instruction, position) = (0, start)
    while true {
      stepsLeft -= 1
      guard stepsLeft > 0, stack.count < Self.deepest else {
        throw .patternTooSlow(program.pattern)
      }
      var holds = true
      switch instructions[instruction] {
      case .match: return position
      case .set(let set):
        holds = false
        if position < text.count {
          let scalar = text.scalar(at: position)
          if program.sets[set].contains(scalar.value) {
            position += scalar.byteCount
            holds = true
          }
        }
        instruction += 1
      case .run(let set, let minimum, let maximum, let isPossessive):
        instruction += 1
        holds = run(
          program.sets[set], minimum, maximum, in: text, from: &position,
          resuming: isPossessive ? nil : instruction)
      case .jump(let next): instruction = next
      case .fork(let first, let second):
        stack.append(Frame(kind: .resume, instruction: second, position: position))
        instruction = first
      case .ahead(let isNegated, let next):
        mark(isNegated ? .negatedMark : .mark, next, position)
        instruction += 1
      case .endAhead(let isNegated):
        position = removeMark()
        holds = !isNegated
        instruction += 1
      case .atomic:
        mark(.mark, 0, position)
        instruction += 1
      case .endAtomic:
        _ = removeMark()
        instruction += 1
      case .back(let count):
        for _ in 0..<count where holds {
          if position == 0 { holds = false } else { position = text.scalarStart(before: position) }
        }
        instruction += 1
      case .remember(let register):
        stack.append(
          Frame(
            kind: .restore, instruction: 0, position: register, value: registers[register]))
        registers[register] = position
        instruction += 1
      case .progress(let register):
        holds = registers[register] != position
        instruction += 1
      case .lineStart:
        holds = position == 0 || text[position - 1] == 0x0A
        instruction += 1
      case .lineEnd:
        holds = position == text.count || text[position] == 0x0A
        instruction += 1
      case .textStart:
        holds = position == 0
        instruction += 1
      case .textEnd:
        holds = position == text.count
        instruction += 1
      }
      if !holds {
        guard let next = backtrack(in: text) else { return nil }
        (instruction, position) = next
      }
    }
  }

  /// Steps over scalars of a set; false if there are too few.
  private mutating func run(
    _ set: ScalarSet, _ minimum: Int, _ maximum: Int, in text: Span<UInt8>,
    from position: inout Int, resuming instruction: Int?
  ) -> Bool {
    var count = 0
    var shortest = position
    while count < maximum, position < text.count {
      let scalar = text.scalar(at: position)
      guard set.contains(scalar.value) else { break }
      position += scalar.byteCount
      count += 1
      if count == minimum { shortest = position }
    }
    stepsLeft -= count
    guard count >= minimum else { return false }
    if let instruction, position > shortest {
      stack.append(
        Frame(kind: .shorten, instruction: instruction, position: position, value: shortest))
    }
    return true
  }

  private mutating func mark(_ kind: Frame.Kind, _ instruction: Int, _ position: Int) {
    marks.append(stack.count)
    stack.append(Frame(kind: kind, instruction: instruction, position: position))
  }

  /// Takes everything off the stack down to the last mark, and says where that was.
  private mutating func removeMark() -> Int {
    let mark = marks.removeLast()
    let position = stack[mark].position
    stack.removeSubrange(mark...)
    return position
  }

  /// Goes back to what was put off last; nil where nothing was.
  private mutating func backtrack(
    in text: Span<UInt8>
  ) -> (instruction: Int, position: Int)? {
    while let frame = stack.popLast() {
      switch frame.kind {
      case .resume: return (frame.instruction, frame.position)
      case .shorten:
        let position = text.scalarStart(before: frame.position)
        if position > frame.value {
          stack.append(
            Frame(
              kind: .shorten, instruction: frame.instruction, position: position,
              value: frame.value))
        }
        return (frame.instruction, position)
      case .mark: marks.removeLast()
      case .negatedMark:
        marks.removeLast()
        return (frame.instruction, frame.position)
      case .restore: registers[frame.position] = frame.value
      }
    }
    return nil
  }
}
