import Formats
import Testing

@testable import decant

@Suite struct ErrorReportTests {
  private struct Oddity: Error {}

  @Test func eachErrorHasItsStatus() {
    #expect(ErrorReport(UsageError("no", hint: nil)).status == .usage)
    #expect(ErrorReport(FileError.missing(path: "x")).status == .failure)
    #expect(ErrorReport(Oddity()).status == .failure)
    #expect(ErrorReport(CancellationError()).status == .interrupted)
    #expect(ErrorReport(OutputError.closed).status == .failure)
  }

  @Test func theHintHasALineOfItsOwn() {
    let report = ErrorReport(UsageError("bad '\u{1b}[2J'", hint: "try\nthis"))
    #expect(
      report.text(style: Style(isOn: false))
        == "error: bad '\\u{1b}[2J'\nhint: try\\u{a}this\n")
    #expect(
      ErrorReport(UsageError("bad", hint: nil)).text(style: Style(isOn: true))
        == "\u{1b}[31merror:\u{1b}[0m bad\n")
  }

  @Test func theUsersOwnDoingIsNotReported() {
    #expect(ErrorReport(CancellationError()).text(style: Style(isOn: false)) == "")
    #expect(ErrorReport(OutputError.closed).text(style: Style(isOn: false)) == "")
  }
}
