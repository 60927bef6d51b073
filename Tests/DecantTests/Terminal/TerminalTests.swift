import Testing

@testable import decant

private func terminal(
  _ environment: [String: String], isTerminal: Bool = true, columns: Int? = nil,
  noColor: Bool = false, isQuiet: Bool = false
) -> Terminal {
  Terminal(
    environment: environment, outputIsTerminal: isTerminal, errorIsTerminal: isTerminal,
    columns: columns, noColor: noColor, isQuiet: isQuiet)
}

@Suite struct TerminalTests {
  @Test(arguments: [
    ([:], true), (["NO_COLOR": ""], true), (["NO_COLOR": "1"], false), (["TERM": "dumb"], false),
    (["TERM": "xterm-256color"], true),
  ])
  func theEnvironmentMayForbidColour(_ environment: [String: String], isAllowed: Bool) {
    #expect(terminal(environment).style.isOn == isAllowed)
    #expect(terminal(environment).errorStyle.isOn == isAllowed)
  }

  @Test func colourIsForTerminalsOnly() {
    #expect(!terminal([:], isTerminal: false).style.isOn)
    #expect(!terminal([:], noColor: true).style.isOn)
    let redirected = Terminal(environment: [:], outputIsTerminal: false, errorIsTerminal: true)
    #expect(!redirected.style.isOn)
    #expect(redirected.errorStyle.isOn)
  }

  @Test(arguments: [
    (nil, nil, 80), (nil, "120", 120), (132, "120", 132), (0, "120", 120), (0, "0", 80),
    (nil, "wide", 80), (nil, "-3", 80),
  ])
  func theWidthIsTheTerminalsOrDeclared(_ columns: Int?, declared: String?, width: Int) {
    let environment = declared.map { ["COLUMNS": $0] } ?? [:]
    #expect(terminal(environment, columns: columns).width == width)
  }

  @Test(arguments: [
    ([:], false), (["LANG": "C"], false), (["LANG": "en_US.UTF-8"], true),
    (["LANG": "C.utf8"], true), (["LC_ALL": "C", "LANG": "en_US.UTF-8"], false),
    (["LC_ALL": "", "LC_CTYPE": "UTF-8", "LANG": "C"], true),
  ])
  func theFirstLocaleVariableThatIsSetDecides(_ environment: [String: String], isUnicode: Bool) {
    #expect(terminal(environment).isUnicode == isUnicode)
  }

  @Test func progressNeedsATerminalThatCanDrawOverALine() {
    #expect(terminal([:]).showsProgress)
    #expect(!terminal([:], isTerminal: false).showsProgress)
    #expect(!terminal([:], isQuiet: true).showsProgress)
    #expect(!terminal(["TERM": "dumb"]).showsProgress)
  }

  @Test func stylesAreEscapesOrNothing() {
    #expect(Style(isOn: true).red("no") == "\u{1b}[31mno\u{1b}[0m")
    #expect(Style(isOn: true).bold("") == "")
    #expect(Style(isOn: false).green("yes") == "yes")
  }
}

@Suite struct PrintableTests {
  @Test(arguments: [
    ("model.layers.0", "model.layers.0"), ("naïve 模型 █", "naïve 模型 █"), ("", ""),
    ("\u{1b}[31mred", "\\u{1b}[31mred"), ("a\nb\tc\r", "a\\u{a}b\\u{9}c\\u{d}"),
    ("a\r\nb", "a\\u{d}\\u{a}b"), ("\u{0}\u{7f}\u{9b}", "\\u{0}\\u{7f}\\u{9b}"),
    ("safe\u{202e}txt", "safe\\u{202e}txt"), ("\u{2066}\u{2069}", "\\u{2066}\\u{2069}"),
    ("\u{200f}\u{61c}", "\\u{200f}\\u{61c}"), ("\u{2028}", "\\u{2028}"), ("\\n", "\\n"),
  ])
  func controlsAreSpelledOut(_ text: String, shown: String) {
    #expect(printable(text) == shown)
    #expect(printable(printable(text)) == shown)
  }

  @Test func noControlOfASCIIOrLatinPasses() throws {
    for value in (UInt8(0)...0x1f).map(UInt32.init) + (UInt32(0x7f)...0x9f) {
      let scalar = try #require(Unicode.Scalar(value))
      #expect(printable(String(scalar)) == "\\u{\(String(value, radix: 16))}")
    }
  }
}

@Suite struct TextTableTests {
  @Test func columnsAlignAndLinesEndCleanly() {
    var table = TextTable([.init("name"), .init("size", .right), .init("note")])
    table.append(["a", "1.00 GB", "█░"])
    table.append(["longer", "12 B", ""])
    table.append(["", "", ""])
    #expect(
      table.text(style: Style(isOn: false))
        == "name       size  note\na       1.00 GB  █░\nlonger     12 B\n\n")
  }

  @Test func stylesTakeNoRoom() {
    let style = Style(isOn: true)
    var table = TextTable([.init("a"), .init("b", .right)])
    table.append([style.red("xxx"), style.dim("1")])
    #expect(
      table.text(style: style).split(separator: "\n").map { displayWidth(String($0)) } == [6, 6])
  }
}
