import Foundation
import Testing

@testable import decant

@Suite struct ManualPageTests {
  @Test func aCommandIsDescribedInFull() throws {
    let pour = try #require(sampleProgram.command(named: "pour"))
    let page = ManualPage(pour, of: sampleProgram)
    #expect(page.fileName == "brew-pour.1")
    #expect(
      page.text.hasPrefix(
        #"""
        .TH BREW\-POUR 1 2026-01-02 "brew 1.2.3" "brew manual"
        .SH NAME
        brew\-pour \- fill a cup
        .SH SYNOPSIS
        .B brew pour
        \fICUP\fR
        \fB\-\-output\fR \fIOUT\fR
        [\fIoptions\fR]
        .SH OPERANDS
        .TP
        .I CUP
        The cup.
        .SH OPTIONS
        .TP
        \fB\-o\fR, \fB\-\-output\fR \fIOUT\fR
        Where to. Required.
        .TP
        \fB\-\-kind\fR \fIKIND\fR
        What to pour. It is hot. One of tea or coffee. Default: tea.

        """#))
    #expect(
      page.text.hasSuffix(
        """
        .SH EXAMPLES
        Fill the cup.
        .PP
        .RS 4
        .EX
        brew pour cup \\-o table
        .EE
        .RE
        .SH SEE ALSO
        .BR brew (1)

        """))
  }

  @Test func whatWouldBeARequestOrAnotherCharacterIsEscaped() {
    let program = ProgramDescription(
      name: "brew", version: "1", date: "2026-01-02", summary: "make",
      discussion: [#".hidden is 'it''s' ~/a^b`c` "d" \e -"#], commands: [], sharedOptions: [])
    let text = ManualPage(nil, of: program).text
    #expect(
      text.contains(
        #"\&.hidden is \(aqit\(aq\(aqs\(aq \(ti/a\(hab\(gac\(ga \(dqd\(dq \ee \-"#))
  }

  /// What the two formatters on Linux and BSD say of the program's own pages: nothing.
  @Test(
    arguments: [["mandoc", "-T", "lint", "-W", "style"], ["man", "--warnings", "-l"]].filter {
      isInstalled($0[0])
    })
  func formattersHaveNothingToSay(_ tool: [String]) throws {
    let folder = try Folder()
    let pages = ManualPage.all(of: Program.description)
    #expect(pages.map(\.fileName).prefix(3) == ["decant.1", "decant-inspect.1", "decant-stats.1"])
    for page in pages { try folder.write(page.text, to: page.fileName) }
    let result = try runTool(
      "env",
      [
        "LC_ALL=C.UTF-8", "MANPAGER=cat", "bash", "-c", "cd \"$1\"; shift; \"$@\" *.1", "bash",
        folder.path,
      ]
        + tool)
    #expect(result.status == 0)
    #expect(result.error == "")
    #expect(tool[0] != "mandoc" || result.output == "")
  }

  @Test func pagesAreWrittenWhereTheyAreAskedFor() throws {
    let folder = try Folder()
    let directory = folder.path("share/man1")
    #expect(try runTool(builtProgram, ["help", "convert", "--man", "-o", directory]).status == 0)
    let printed = try runTool(builtProgram, ["help", "convert", "--man"]).output
    #expect(
      try String(contentsOfFile: directory + "/decant-convert.1", encoding: .utf8) == printed)
    // One of them is there already.
    let refused = try runTool(builtProgram, ["help", "--man", "-o", directory])
    #expect(refused.status == 1 && refused.error.contains("decant-convert.1 exists already"))
    let all = try runTool(builtProgram, ["help", "--man", "-o", directory, "--force"])
    #expect(all.status == 0)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: directory).count
        == Program.description.commands.count + 1)
  }
}
