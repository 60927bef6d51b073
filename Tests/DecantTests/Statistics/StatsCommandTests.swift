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
    let all = lines(result)
    for line in all where !line.hasPrefix("  decant ") { #expect(line.count <= 80) }
    #expect(all[0] == "findings" && all[1].hasPrefix("- "))
    let text = all.drop { !$0.hasPrefix("weights:") }.map(\.self)
    #expect(result.output.contains("at 2 to 8 bits in groups of 64,\nminmax"))
    #expect(text[2].contains(" |x| "))
    #expect(text[2].hasSuffix("   2b    3b    4b    5b    6b    8b"))
    #expect(
      text[3..<9].map { $0.split(separator: " ")[0] } == [
        "outside", "0", "1", "2", "3", "median",
      ])
    // numpy: abs().max() over the matrices of each layer.
    for (line, absMax) in zip(text[3..<8], ["0.602", "0.524", "0.698", "0.411", "0.466"]) {
      #expect(line.contains(" \(absMax) "))
      #expect(line.contains("█"))
    }
    // The median of 0.524, 0.698, 0.411 and 0.466.
    #expect(text[8].contains(" 0.495 "))
    #expect(
      all.suffix(2).first?.hasSuffix("size:") == true
        && all.last == "  decant plan \(sample) --target-bpw 4.50 -o plan.json")
    #expect(result.output.contains("for a normal distribution"))
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
      #expect(found.contains { $0.hasPrefix("    2 !") })
      // Names and command lines are as long as they are.
      for line in found where !line.contains("model.layers") && !line.hasPrefix("  decant ") {
        #expect(line.count <= columns)
      }
    }
  }

  @Test func theHistogramTakesWhatIsLeft() throws {
    func histogram(_ columns: Int) throws -> Int {
      let row = lines(try stats(["--filter", "*.k_proj.*"], columns: columns)).first {
        $0.hasPrefix("     0  ")
      }
      return row?.count { "▁▂▃▄▅▆▇█".contains($0) } ?? 0
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
    for bits in ["2", "3", "4", "5", "6", "8"] {
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
    for arguments in [["--top", "1"], ["--top", "1", "--quiet"]] {
      let result = try runTool(builtProgram, ["stats", folder.path] + arguments)
      let text = result.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
      #expect(
        text.contains(
          "\(name) holds 1 NaN and 1 infinities; its figures are of the other 1022 values"))
      #expect(!text.lowercased().replacing("1 nan", with: "").contains("nan"))
    }
    let found = try runTool("COLUMNS=200", [builtProgram, "stats", folder.path]).output
    #expect(
      found.contains(
        "- warning: 1 tensor holds NaN or infinity: \(name) (1 NaN, 1 infinite, of 1,024)"))
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
    #expect(gone.output.contains("what is named here was left out:"))
  }

  /// Twenty-four layers of noise, one of which has a weight in every group that is so large that 4 bits lose much of the rest.
  @Test func ofManyLayersThoseThatLoseMostAreShown() throws {
    let folder = try Folder()
    var noise = Noise(seed: 7)
    let tensors = (0..<24).map { layer in
      var values = (0..<32 * 64).map { _ in Float(noise.bell()) }
      if layer == 5 {
        // One in every group of 64.
        for row in 0..<32 { values[64 * row] = 40 }
      }
      return TestTensor(f32: "model.layers.\(layer).mlp.up_proj.weight", [32, 64], values)
    }
    let path = folder.path("model.safetensors")
    try writeSafetensors(tensors, to: path)
    func labels(_ words: String...) throws -> [String] {
      let result = try runTool("COLUMNS=100", [builtProgram, "stats", path] + words)
      return result.output.components(separatedBy: "\n").drop { !$0.contains("|x|") }.dropFirst()
        .prefix { !$0.isEmpty }.map { String($0.prefix(8)).trimmingCharacters(in: .whitespaces) }
    }
    let few = try labels()
    #expect(few.count == 6 && few.contains("5 !") && few.last == "median")
    #expect(try labels("--all").count == 25)
    let result = try runTool("COLUMNS=200", [builtProgram, "stats", path])
    #expect(result.output.contains("19 of 24 layers are not shown: --all lists them"))
    // The only layer that is named, with the tensor and a width that keeps as much as the rest at 4 bits.
    #expect(result.output.contains("- Weights: 4 bits lose more than 2 times as much of layer 5 ("))
    #expect(result.output.contains("4 bits in groups of 64 for all but 1 tensor: "))
    #expect(
      result.output.contains("  - model.layers.5.mlp.up_proj.weight: 5 bits (4 keep "))
    let json = try JSONValue(
      parsing: Array(try runTool(builtProgram, ["stats", path, "--json"]).output.utf8))
    let lossy = (json["layers"]?.arrayValue ?? []).filter { $0["is_lossy"] == true }
    #expect(lossy.map { $0["layer"] } == [.integer(5)])
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
