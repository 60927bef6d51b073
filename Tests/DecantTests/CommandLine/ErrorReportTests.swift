import Formats
import Foundation
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

  @Test(arguments: [
    (SIGHUP, "SIGHUP", 129), (SIGINT, "SIGINT", 130), (SIGQUIT, "SIGQUIT", 131),
    (SIGTERM, "SIGTERM", 143),
  ])
  func aSignalIsNamedAndCounts(_ signal: Int32, _ name: String, _ status: Int32) {
    let report = ErrorReport(CancellationError(), signal: signal)
    #expect(report.status.rawValue == status)
    #expect(
      report.text(style: Style(isOn: false))
        == "error: interrupted by \(name) before it was done; nothing was written\n")
  }

  @Test func aReaderThatHasGoneIsNotReported() {
    #expect(ErrorReport(OutputError.closed).text(style: Style(isOn: false)) == "")
  }
}
