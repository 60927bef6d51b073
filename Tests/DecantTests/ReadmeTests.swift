import Foundation
import Testing

/// The commands of the README and of the page on adapters, run as shown with the program as it was built.
@Suite struct ReadmeTests {
  /// A command line of a `console` block, and the lines shown below it.
  private struct Shown {
    let words: [String]
    var output: [String] = []
  }

  private static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
  private static let prefix = "$ decant "

  private func shownCommands(in page: String) throws -> [Shown] {
    let text = try String(contentsOf: Self.root.appending(path: page), encoding: .utf8)
    var shown: [Shown] = []
    var isConsole = false
    for line in text.components(separatedBy: "\n") {
      if line.hasPrefix("```") {
        isConsole = line == "```console"
      } else if isConsole, line.hasPrefix(Self.prefix) {
        shown.append(
          Shown(words: line.dropFirst(Self.prefix.count).split(separator: " ").map(String.init)))
      } else if isConsole {
        shown[shown.count - 1].output.append(line)
      }
    }
    return shown
  }

  /// Time, rate and memory differ from run to run.
  private func isTiming(_ line: String) -> Bool { line.contains(" MB/s, peak memory ") }

  @Test(arguments: [
    ("README.md", ["convert", "validate", "inspect", "plan", "convert", "eval"]),
    ("docs/ADAPTERS.md", ["convert", "merge", "validate"]),
  ])
  func commandsPrintWhatIsShown(_ page: String, names: [String]) throws {
    let folder = try Folder()
    let output = folder.path + "/small-"
    let commands = try shownCommands(in: page)
    #expect(commands.map(\.words.first) == names)
    for command in commands {
      let words = command.words.map {
        let word = $0.replacing("'", with: "")
        return word.hasPrefix("samples/")
          ? Self.root.path(percentEncoded: false) + "/" + word
          : word.replacing("/tmp/small-", with: output)
      }
      let result = try runTool("LC_ALL=C.UTF-8", ["COLUMNS=80", builtProgram] + words)
      #expect(result.status == 0 && result.error == "")
      let lines = result.output.replacingOccurrences(of: output, with: "/tmp/small-")
        .components(separatedBy: "\n")
      let expected = command.output.prefix { $0 != "..." }
      #expect(expected.isEmpty == command.words.contains("-q"))
      for (line, printed) in zip(expected, lines) where !isTiming(line) {
        #expect(printed == line)
      }
    }
  }
}
