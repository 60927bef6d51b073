import Foundation
import Testing

@testable import decant

@Suite struct PlanPageTests {
  private let folder: Folder

  init() throws { folder = try Folder() }

  /// Two layers of one matrix each, and one outside with a hostile name.
  private func page(_ options: String...) throws -> (reader: PageReader, text: String) {
    let names = [
      "model.layers.0.mlp.up_proj.weight", "model.layers.1.mlp.up_proj.weight",
      "\"><img src=x onerror=alert(1)>.weight",
    ]
    let values = (0..<4 * 64).map { Float($0 * 37 % 101) - 50 }
    let model = folder.path + "/model.safetensors"
    try safetensors(names.map { PageTensor(name: $0, shape: [4, 64], values: values) })
      .write(to: URL(filePath: model))
    let path = folder.path + "/plan.html"
    let result = try runTool(
      builtProgram,
      ["plan", model, "--target-bpw", "7", "--allow-bits", "4,8", "--allow-groups", "64"]
        + ["--html", path, "-q"] + options)
    #expect(result.status == 0 && result.error == "")
    let text = try String(contentsOfFile: path, encoding: .utf8)
    return (PageReader(text), text)
  }

  @Test func everyTensorHasItsWidthAndReason() throws {
    let (page, text) = try page("--override", "model.layers.1.*=8")
    #expect(page.isSound)
    let names = page.all("th").filter { $0.attributes["scope"] == "row" }.map(\.text)
    #expect(names.contains("model.layers.0.mlp.up_proj.weight"))
    #expect(names.contains("\"><img src=x onerror=alert(1)>.weight"))
    #expect(!text.contains("<img"))
    // With F32 scale and bias 4 bits take 5 and 8 bits 9: 5, 9 and 5 are 6.33 on average, and one
    // more 9 would exceed 7.
    let cells = page.all("td").filter { $0.attributes["class"]?.hasPrefix("c") == true }
    #expect(cells.map(\.text).prefix(2) == ["4 / 64", "8 / 64"])
    #expect(page.all("td").filter { $0.attributes["class"] == "why" }.count == 3)
  }

  /// One width for all: 4 and 8 bits.
  @Test func theCurveHasADotForEachWidth() throws {
    let (page, _) = try page()
    let circles = page.all("circle")
    #expect(circles.filter { $0.attributes["class"] == "dots k" }.count == 2)
    #expect(circles.filter { $0.attributes["class"] == "ring" }.count == 1)
  }

  @Test func refusesAnExistingFile() throws {
    try folder.write("plan.html", "precious")
    let result = try runTool(
      builtProgram,
      ["plan", folder.path, "--target-bpw", "5", "--html", folder.path + "/plan.html"])
    #expect(result.status == 1)
    #expect(
      try String(contentsOfFile: folder.path + "/plan.html", encoding: .utf8) == "precious")
  }
}
