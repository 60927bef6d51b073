import Convert
import Foundation
import Testing

@testable import decant

/// Several models side by side.
@Suite struct ComparisonPageTests {
  private let folder: Folder

  init() throws { folder = try Folder() }

  /// A model whose layers hold one weight of size 1, 2, 3 and so on among zeros.
  private func model(_ name: String, layers: Int) throws -> String {
    try folder.makeFolder(name)
    let path = folder.path(name + "/model.safetensors")
    let tensors = (0..<layers).map { layer in
      PageTensor(
        name: "model.layers.\(layer).mlp.up_proj.weight", shape: [2, 64],
        values: (0..<128).map { $0 == 0 ? Float(layer + 1) : 0 })
    }
    try safetensors(tensors).write(to: URL(filePath: path))
    return folder.path(name)
  }

  private func comparison() throws -> ModelComparison {
    ModelComparison(
      models: try [model("short", layers: 2), model("long", layers: 4)].map { try measure($0) })
  }

  @Test func figuresAreThoseOfTheLayers() throws {
    let comparison = try comparison()
    #expect(comparison.names == ["short", "long"] && comparison.kinds == [.weight])
    let rows = comparison.rows(.weight)
    #expect(rows.map(\.layerCount) == [2, 4] && rows.map(\.absMax) == [2, 4])
    // One of 128 values is not 0: mean 1 / 128, and p = 1 / 128 gives kurtosis 1 / (p (1 - p)) - 3, whatever the size.
    let kurtosis = 1 / (1.0 / 128 * (127.0 / 128)) - 3
    for row in rows {
      #expect(abs((row.kurtosis ?? 0) - kurtosis) < 1e-9)
      #expect(abs((row.worst?.kurtosis ?? 0) - kurtosis) < 1e-9)
    }
  }

  /// Two layers stand at a quarter and three quarters of the depth, four at eighths.
  @Test func linesRunOverTheDepth() throws {
    let page = PageReader(
      ComparisonPage(comparison: try comparison(), command: "decant stats").html)
    #expect(page.isSound)
    let panels = page.all("figure").filter { $0.attributes["class"] == "panel chart" }
    #expect(panels.count == 3)
    #expect(panels[0].attributes["data-layers"] == "13% 38% 63% 88%")
    #expect(
      panels[0].attributes["data-values"]
        == "1.00 / 1.00|1.00 / 2.00|2.00 / 3.00|2.00 / 4.00")
    let lines = page.all("path").filter {
      $0.attributes["class"] == "line m0" || $0.attributes["class"] == "line m1"
    }.compactMap { $0.attributes["d"] }.filter { $0.contains("L") }
    // 38 + 196 / 4 and 38 + 196 * 3 / 4, then eighths.
    #expect(lines.count == 6)
    func places(_ path: String) -> [Substring] {
      path.split { "ML".contains($0) }.compactMap { $0.split(separator: " ").first }
    }
    #expect(places(lines[0]) == ["87", "185"])
    #expect(places(lines[1]) == ["62.5", "111.5", "160.5", "209.5"])
    let rows = page.all("th").filter { $0.attributes["scope"] == "row" }
    #expect(Set(rows.map(\.text)) == ["short", "long"])
  }

  @Test func theCommandTakesSeveral() throws {
    let paths = [try model("short", layers: 2), try model("long", layers: 4)]
    let text = try runTool(builtProgram, ["stats"] + paths + ["-q"])
    #expect(text.status == 0 && text.error == "")
    let lines = text.output.split(separator: "\n").map {
      $0.split(separator: " ").map(String.init)
    }
    #expect(lines[0] == ["weights"])
    #expect(lines[2].prefix(3) == ["short", "2", "2.00"])
    #expect(lines[3].prefix(3) == ["long", "4", "4.00"])
    let json = try runTool(builtProgram, ["stats"] + paths + ["--json"])
    let object = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
    let models = try #require(object?["models"] as? [[String: Any]])
    let alone = try runTool(builtProgram, ["stats", paths[1], "--json"])
    let one = try JSONSerialization.jsonObject(with: Data(alone.output.utf8)) as? [String: Any]
    #expect(models.count == 2 && NSDictionary(dictionary: models[1]) == one.map(NSDictionary.init))
  }

  @Test(arguments: [
    ["--tensor", "x"], ["--top", "3"], ["--sort", "absmax"], ["--activations", "x"], ["--kv", "x"],
    ["--dump", "x"],
  ])
  func whatIsAboutOneModelIsRefused(_ words: [String]) throws {
    let path = try model("short", layers: 2)
    let result = try runTool(builtProgram, ["stats", path, path] + words)
    #expect(result.status == 64 && result.error.contains("is about one model"))
  }

  @Test(arguments: ["--context", "--tokens-limit", "--max-memory"])
  func whatIsAboutATextNeedsOne(_ option: String) throws {
    let path = try model("short", layers: 2)
    let result = try runTool(builtProgram, ["stats", path, path, option, "1000000"])
    #expect(result.status == 64 && result.error.contains("'\(option)' needs a text"))
  }

  /// Names that are the same do not tell models apart.
  @Test func pathsAreNamesWhereNamesAreEqual() throws {
    try folder.makeFolder("a")
    try folder.makeFolder("b")
    let paths = [try model("a/same", layers: 1), try model("b/same", layers: 1)]
    #expect(ModelComparison(models: try paths.map { try measure($0) }).names == paths)
  }
}
