import Foundation
import Testing

@testable import decant

@Suite struct HelpTextTests {
  @Test func aCommandIsDescribedInFull() throws {
    let pour = try #require(sampleProgram.command(named: "pour"))
    #expect(
      HelpText.text(for: pour, of: sampleProgram, width: 60) == """
        brew pour - fill a cup

        Usage: brew pour CUP --output OUT [options]

        Operands:
          CUP  The cup.

        Options:
          -o, --output OUT     Where to. Required.
              --kind KIND      What to pour. It is hot. One of tea
                               or coffee. Default: tea.
          -j, --jobs N         Pour N at once. Default: all hands.
          -a, --add THING      Something on top. May be given more
                               than once.
          -f, --force          Pour over.
              --max-size SIZE  Stop at SIZE.
              --full PERCENT   How full.

        Options of every command:
          -h, --help      Show help with examples, and stop.
          -q, --quiet     Show results and errors only: no progress,
                          no notes.
              --no-color  Use no colours. So does a NO_COLOR in the
                          environment.
              --version   Show the version of the program, and stop.

        Examples:
          brew pour cup -o table
              Fill the cup.

        """)
  }

  @Test func theProgramListsItsCommands() {
    let text = HelpText.text(for: nil, of: sampleProgram, width: 80)
    #expect(text.hasPrefix("brew 1.2.3 - make drinks\n\nUsage: brew COMMAND [options]\n"))
    #expect(text.contains("\n  pour   fill a cup\n  mix    put cups together\n"))
    #expect(text.contains("\n      --version   "))
    #expect(text.contains("\nExamples:\n  brew pour cup -o table\n"))
  }

  @Test(arguments: [60, 80, 100])
  func noLineButAnExampleIsWiderThanAsked(_ width: Int) {
    let program = Program.description
    for command in [nil] + program.commands.map(Optional.some) {
      let text = HelpText.text(for: command, of: program, width: width)
      let beforeExamples = text.components(separatedBy: "\nExamples:\n")[0]
      for line in beforeExamples.split(separator: "\n") {
        #expect(line.count <= width, "\(line)")
        #expect(line.last != " ", "\(line)")
      }
    }
  }

  @Test(arguments: [(40, 60), (72, 72), (100, 100), (400, 100)])
  func theWidthIsThatOfTheTerminalWithinReason(_ columns: Int, width: Int) {
    let terminal = Terminal(
      environment: [:], outputIsTerminal: true, errorIsTerminal: true, columns: columns)
    #expect(HelpText.width(on: terminal) == width)
  }

  @Test func wordsAreWrappedAtSpaces() {
    #expect(wrap("", width: 5) == [""])
    #expect(wrap("ab cd ef", width: 5) == ["ab cd", "ef"])
    #expect(wrap("a verylongword b", width: 5) == ["a", "verylongword", "b"])
  }
}
