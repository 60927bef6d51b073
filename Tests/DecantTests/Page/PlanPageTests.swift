import Formats
import Foundation
import Testing

@testable import Convert
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

  @Test func saysWhatWasAskedAndWhatToDo() throws {
    let plan = folder.path + "/plan.json"
    let (page, _) = try page("--curve", "-o", plan)
    let rows = page.all("tr", inside: "main").map(\.text)
    #expect(rows.contains("--target-bpw7") && rows.contains("--allow-bits4,8"))
    #expect(page.all("pre").map(\.text)[0].hasSuffix("-o model-6.33bpw"))
    #expect(page.all("pre").map(\.text)[0].contains("model.safetensors --plan \(plan) -o"))
    #expect(page.all("dd").contains { $0.text.hasSuffix("--curve -o \(plan)") })
  }

  /// Figures by hand: the mean tensor has 1,000 bytes, the loss at the common width is 0.032 for 4,000.
  @Test func reasonsAreInWords() {
    func choice(
      _ role: String, bits: Int, bytes: Int, error: Double, errorAtFour: Double? = nil
    ) -> BitPlan.Choice {
      BitPlan.Choice(
        name: role, shape: [64, 64], role: role, layer: nil,
        layout: AffineLayout(bits: bits, groupSize: 64)!, byteCount: bytes, relativeError: error,
        samplingError: 0, weight: 1, divergence: nil, reason: "",
        alternatives: [
          .init(
            layout: AffineLayout(bits: bits == 4 ? 8 : 4, groupSize: 64)!, byteCount: bytes,
            relativeError: errorAtFour ?? 0, divergence: nil)
        ])
    }
    let choices = [
      choice("attn_v", bits: 8, bytes: 100, error: 0, errorAtFour: 0.02),
      choice("mlp_down", bits: 3, bytes: 2600, error: 0.01, errorAtFour: 0.004),
      choice("output_head", bits: 4, bytes: 900, error: 0.006),
      choice("attn_q", bits: 4, bytes: 400, error: 0.002),
    ]
    let plan = BitPlan(
      decantVersion: "", method: .minmax, scaleType: nil, request: [:], sources: [], dumps: [],
      choices: choices, measure: .relativeError,
      totals: .init(bitsPerWeight: 4, tensorByteCount: 4000, loss: 0.01, optimalityGap: 0),
      uniform: [], curve: [])
    let reasons = PlanReasons(plan)
    #expect(
      choices.map(reasons.words) == [
        "small and costly; more bits take few bytes",
        "large and robust; fewer bits save many bytes",
        "makes every prediction", "small",
      ])
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
