import Synchronization
import Testing

@testable import decant

@Suite struct ProgressLineTests {
  private let halfway = ProgressLine(
    title: "Converting", doneBytes: 1_500_000_000, totalBytes: 3_000_000_000, elapsedSeconds: 5)

  @Test func saysHowMuchHowFastAndHowLong() {
    #expect(
      halfway.text(width: 80, isUnicode: false)
        == "Converting ##########-----------   50%  1.50 GB of 3.00 GB  300 MB/s  0:05 left")
    #expect(halfway.text(width: 80, isUnicode: true).contains(" ██████████░░░░░░░░░░░ "))
  }

  @Test(arguments: 0...200)
  func isNarrowerThanTheTerminal(_ width: Int) {
    #expect(displayWidth(halfway.text(width: width, isUnicode: true)) <= max(0, width - 1))
  }

  @Test func guessesNothingAtTheStartAndLeavesNothingAtTheEnd() {
    let start = ProgressLine(title: "x", doneBytes: 10, totalBytes: 100, elapsedSeconds: 0.1)
    #expect(start.text(width: 40, isUnicode: false).hasSuffix("10 B of 100 B"))
    let end = ProgressLine(title: "x", doneBytes: 100, totalBytes: 100, elapsedSeconds: 1)
    #expect(end.text(width: 60, isUnicode: false).hasSuffix("100%  100 B of 100 B  100 B/s"))
    let nothing = ProgressLine(title: "x", doneBytes: 0, totalBytes: 0, elapsedSeconds: 1)
    #expect(nothing.text(width: 60, isUnicode: false).contains("100%  0 B of 0 B"))
  }

  @Test func hoursAreShownAndAgesAreCapped() {
    let slow = ProgressLine(title: "", doneBytes: 1, totalBytes: 7_200, elapsedSeconds: 1)
    #expect(slow.text(width: 90, isUnicode: false).hasSuffix("1:59:59 left"))
    let stuck = ProgressLine(title: "", doneBytes: 1, totalBytes: .max, elapsedSeconds: 1e9)
    #expect(stuck.text(width: 90, isUnicode: false).hasSuffix("99:59:59 left"))
  }
}

@Suite struct ProgressBarTests {
  /// A clock that stands still until it is moved, and a terminal that remembers.
  private final class Stage: Sendable {
    let time = Mutex(ContinuousClock.now)
    let written = Mutex<[String]>([])

    func bar(isQuiet: Bool = false, isTerminal: Bool = true) -> ProgressBar {
      let terminal = Terminal(
        environment: [:], outputIsTerminal: true, errorIsTerminal: isTerminal, isQuiet: isQuiet)
      return ProgressBar(
        title: "Work", totalBytes: 1000, terminal: terminal,
        now: { self.time.withLock(\.self) },
        write: { text in self.written.withLock { $0.append(text) } })
    }

    func wait(_ duration: Duration) { time.withLock { $0 += duration } }
    var texts: [String] { written.withLock(\.self) }
  }

  @Test func drawsTenTimesASecondAtMost() {
    let stage = Stage()
    let bar = stage.bar()
    for _ in 0..<100 {
      bar.advance(by: 10)
      stage.wait(.milliseconds(10))
    }
    #expect(stage.texts.count == 10)
    #expect(stage.texts.allSatisfy { $0.hasPrefix("\r\u{1b}[KWork ") })
  }

  @Test func clearsItselfOnceAndStaysAway() {
    let stage = Stage()
    let bar = stage.bar()
    bar.advance(by: 1)
    bar.finish()
    bar.finish()
    stage.wait(.seconds(1))
    bar.advance(by: 1)
    #expect(stage.texts.count == 2)
    #expect(stage.texts.last == "\r\u{1b}[K")
  }

  @Test func writesNothingWhereNothingIsWanted() {
    let stage = Stage()
    let bar = stage.bar(isQuiet: true)
    bar.advance(by: 500)
    bar.finish()
    stage.bar().finish()
    #expect(stage.texts == [])
  }

  @Test func aLogGetsALineEveryTenSeconds() {
    let stage = Stage()
    let bar = stage.bar(isTerminal: false)
    for _ in 0..<35 {
      stage.wait(.seconds(1))
      bar.advance(by: 20)
    }
    bar.finish()
    #expect(
      stage.texts == [
        "Work   20%  200 B of 1.00 KB  20 B/s  0:40 left\n",
        "Work   40%  400 B of 1.00 KB  20 B/s  0:30 left\n",
        "Work   60%  600 B of 1.00 KB  20 B/s  0:20 left\n",
      ])
    let quiet = stage.bar(isQuiet: true, isTerminal: false)
    stage.wait(.seconds(30))
    quiet.advance(by: 20)
    #expect(stage.texts.count == 3)
  }

  @Test func threadsLoseNothing() async {
    let stage = Stage()
    let bar = stage.bar()
    await withTaskGroup { group in
      for _ in 0..<8 { group.addTask { for _ in 0..<100 { bar.advance(by: 1) } } }
    }
    stage.wait(.seconds(1))
    bar.advance(by: 200)
    #expect(stage.texts.last?.contains("100%  1.00 KB of 1.00 KB") == true)
  }
}
