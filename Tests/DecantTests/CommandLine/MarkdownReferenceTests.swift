import Foundation
import Testing

@testable import decant

@Suite struct MarkdownReferenceTests {
  @Test func aCommandIsDescribedInFull() throws {
    let reference = MarkdownReference(program: sampleProgram)
    #expect(
      reference.section(try #require(sampleProgram.command(named: "pour"))) == """
        ## pour

        `brew pour CUP --output OUT [options]`

        Fill a cup.

        | operand | meaning |
        |---|---|
        | `CUP` | The cup. |

        | option | meaning |
        |---|---|
        | `-o`, `--output OUT` | Where to. Required. |
        | `--kind KIND` | What to pour. It is hot. One of tea or coffee. Default: tea. |
        | `-j`, `--jobs N` | Pour N at once. Default: all hands. |
        | `-a`, `--add THING` | Something on top. May be given more than once. |
        | `-f`, `--force` | Pour over. |
        | `--max-size SIZE` | Stop at SIZE. |
        | `--full PERCENT` | How full. |

        ```sh
        # Fill the cup.
        brew pour cup -o table
        ```

        """)
  }

  @Test func whatMarkdownWouldTakeForItsOwnIsEscaped() {
    let program = ProgramDescription(
      name: "brew", version: "1", date: "2026-01-02", summary: "make",
      commands: [
        CommandDescription(
          name: "a", summary: "b",
          options: [
            OptionDescription(long: "c", value: .init("D|E"), help: #"<f> *g* h|i `j` [k] \l."#)
          ])
      ], sharedOptions: [])
    #expect(
      MarkdownReference(program: program).text.contains(
        #"| `--c D\|E` | \<f> \*g\* h\|i \`j\` \[k] \\l. |"#))
  }

  @Test func thePageInTheRepositoryIsWhatIsWritten() throws {
    let page = try String(contentsOfFile: repositoryPath("docs/CLI.md"), encoding: .utf8)
    let written = try runTool(builtProgram, ["help", "--markdown"])
    #expect(written.output == page, "write it with 'decant help --markdown > docs/CLI.md'")
  }
}
