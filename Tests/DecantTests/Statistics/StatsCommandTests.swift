import Convert
import Formats
import Foundation
import Testing

@testable import decant

@Suite struct StatsCommandTests {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  private let sample = Self.root.appending(path: "samples/small").path(percentEncoded: false)

  private func stats(
    _ arguments: [String], locale: String = "C.UTF-8", columns: Int = 80
  ) throws -> ToolResult {
    try runTool(
      "LC_ALL=\(locale)", ["COLUMNS=\(columns)", builtProgram, "stats", sample] + arguments)
  }

  private func lines(_ result: ToolResult) -> [String] {
    result.output.components(separatedBy: "\n").filter { !$0.isEmpty }
  }

  /// The words of a table's rows, below its titles and up to the first empty line.
  private func rows(_ result: ToolResult) -> [[String]] {
    result.output.components(separatedBy: "\n").dropFirst().prefix { !$0.isEmpty }
      .map { $0.split(separator: " ").map(String.init) }
  }

  @Test func everyLayerHasALine() throws {
    let result = try stats([])
    #expect(result.status == 0)
    #expect(result.error == "")
    let text = lines(result)
    for line in text { #expect(line.count <= 80) }
    #expect(text[0].hasPrefix("weights:"))
    #expect(text[0].contains("groups of 64, minmax"))
    #expect(
      text[2..<7].map { $0.split(separator: " ")[0] } == ["outside", "0", "1", "2", "3"])
    // numpy: abs().max() over the matrices of each layer.
    for (line, absMax) in zip(text[2..<7], ["0.602", "0.524", "0.698", "0.411", "0.466"]) {
      #expect(line.contains(" \(absMax) "))
      #expect(line.contains("█"))
    }
    #expect(result.output.contains("3 for a normal distribution"))
    let quiet = try stats(["--quiet", "--filter", "*.k_proj.*"])
    #expect(!quiet.output.contains("normal distribution"))
  }

  @Test(arguments: [80, 120])
  func noLineIsLongerThanTheTerminal(_ columns: Int) throws {
    let folder = try StatisticsSample()
    for locale in ["C", "C.UTF-8"] {
      let result = try runTool(
        "LC_ALL=\(locale)",
        ["COLUMNS=\(columns)", builtProgram, "stats", folder.path, "--activations", folder.dump])
      #expect(result.status == 0, "\(result.error)")
      let found = lines(result)
      for title in ["weights:", "activations:", "keys:", "values:"] {
        #expect(found.contains { $0.hasPrefix(title) })
      }
      #expect(found.contains { $0.hasPrefix("outside") })
      #expect(found.contains { $0.hasSuffix("  !") })
      // Names are as long as they are.
      for line in found where !line.contains("model.layers") { #expect(line.count <= columns) }
    }
  }

  @Test func theHistogramTakesWhatIsLeft() throws {
    func histogram(_ columns: Int) throws -> Int {
      lines(try stats(["--filter", "*.k_proj.*"], columns: columns))[3].count {
        "▁▂▃▄▅▆▇█".contains($0)
      }
    }
    #expect(try histogram(120) > histogram(80))
  }

  @Test func withoutUTF8ThereIsOnlyASCII() throws {
    let folder = try StatisticsSample()
    for arguments in [
      ["--activations", folder.dump], ["--tensor", "*.up_proj.weight"], ["--top", "3"],
      ["--activations", try folder.importanceMatrix()],
    ] {
      let result = try runTool("LC_ALL=C", [builtProgram, "stats", folder.path] + arguments)
      #expect(result.status == 0, "\(result.error)")
      #expect(result.output.utf8.allSatisfy { $0 < 0x80 }, "\(arguments)")
      #expect(!result.output.isEmpty)
    }
    #expect(try stats(["--tensor", "model.norm.weight"]).output.contains("σ"))
  }

  @Test(arguments: ["kurtosis", "absmax", "std", "crest", "channel-ratio", "sqnr4", "name"])
  func everyOrderIsTheColumnsOrder(_ key: String) throws {
    let result = try stats(["--sort", key, "--filter", "*.layers.0.*"])
    #expect(result.status == 0)
    let rows = rows(result)
    #expect(rows.count == 9)
    let columns =
      ["absmax": 2, "std": 3, "kurtosis": 4, "crest": 5, "channel-ratio": 6, "sqnr4": 7]
    let column = columns[key] ?? 0
    let cells = rows.map { $0[column] }
    if key == "name" {
      #expect(cells == cells.sorted())
    } else {
      // What has no such figure comes last.
      let figures = cells.prefix { $0 != "-" }.compactMap(Double.init)
      #expect(cells.dropFirst(figures.count).allSatisfy { $0 == "-" })
      #expect(figures.count >= 7)
      #expect(figures == (key == "sqnr4" ? figures.sorted() : figures.sorted().reversed()))
    }
  }

  @Test func topLimitsTheList() throws {
    let some = ["--filter", "*.layers.0.self_attn.*"]
    let two = rows(try stats(some + ["--sort", "absmax", "--top", "2"]))
    #expect(two.count == 2)
    #expect(two == Array(rows(try stats(some + ["--sort", "absmax"])).prefix(2)))
    // Without a key, by kurtosis.
    #expect(
      try stats(some + ["--top", "2"]).output
        == stats(some + ["--top", "2", "--sort", "kurtosis"]).output)
    #expect(try stats(["--top", "0"]).status == 64)
  }

  @Test func oneTensorIsShownClosely() throws {
    let name = "model.layers.0.mlp.down_proj.weight"
    let text = try stats(["--tensor", name]).output
    #expect(text.hasPrefix(name + "\nweight, mlp_down, layer 0, F16 [128, 384], 49152 values\n"))
    for part in [
      "kurtosis 3.15 (normal: 3)", "quantiles: 0.1 % -0.239, 1.0 % -0.171", "beyond 3σ 0.374 %",
      "|-3σ", "|mean", "input channels: 384, median", "output channels: 128, median",
    ] {
      #expect(text.contains(part), "\(part)")
    }
    for bits in ["2", "3", "4", "6", "8"] {
      #expect(text.contains("   \(bits)  64 weights "))
    }
  }

  @Test func aPatternThatMatchesNothingIsAnError() throws {
    for option in ["--filter", "--tensor"] {
      let result = try stats([option, "nope"])
      #expect(result.status == 1)
      #expect(result.output == "")
      #expect(result.error.hasPrefix("error: \(option) 'nope' matches no tensor\n"))
    }
  }

  @Test func whatIsNoNumberIsSaid() throws {
    let folder = try StatisticsSample(damaged: true)
    let name = "model.layers.1.mlp.up_proj.weight"
    for arguments in [[], ["--top", "1"], ["--quiet"]] {
      let result = try runTool(builtProgram, ["stats", folder.path] + arguments)
      let text = result.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
      #expect(
        text.contains(
          "\(name) holds 1 NaN and 1 infinities; its figures are of the other 1022 values"))
      #expect(!text.lowercased().replacing("1 nan", with: "").contains("nan"))
    }
    let close = try runTool(builtProgram, ["stats", folder.path, "--tensor", name])
    #expect(close.output.contains("1 NaN and 1 infinities; the figures are of the other 1022"))
  }

  @Test func aDumpThatDoesNotFitIsSaid() throws {
    let folder = try StatisticsSample()
    let arguments = ["stats", folder.path, "--kv", folder.misfit, "--kv", folder.dump]
    let stopped = try runTool(builtProgram, arguments)
    #expect(stopped.status == 1)
    #expect(stopped.output == "")
    #expect(stopped.error.contains("the checkpoint has 4, from 0 on"))
    let gone = try runTool(builtProgram, arguments + ["--keep-going"])
    #expect(gone.status == 0)
    #expect(gone.output.contains("left out:"))
  }

  @Test func aReaderThatLeavesIsNoCrash() throws {
    let result = try runTool(
      "bash",
      [
        "-c",
        "(sleep 0.2; \"$1\" stats \"$2\" --filter '*norm*' --json; echo status $? >&2) | exec true",
        "bash", builtProgram, sample,
      ])
    #expect(result.error == "status 1\n")
  }
}
