import Convert
import Formats
import Foundation
import Testing

@testable import decant

@Suite struct StatisticsPageTests {
  private let folder: Folder

  init() throws { folder = try Folder() }

  private func write(_ name: String, _ tensors: [PageTensor]) throws -> String {
    let path = folder.path + "/" + name
    try safetensors(tensors).write(to: URL(filePath: path))
    return path
  }

  /// Inputs and cache of the sample's first layer, with one channel and one token that stand out.
  private func sampleDump() throws -> String {
    func values(_ rows: Int, _ columns: Int) -> [Float] {
      (0..<rows * columns).map { index in
        let (row, column) = index.quotientAndRemainder(dividingBy: columns)
        return Float((row * 7 + column * 3) % 11 - 5) * (column == 5 ? 40 : row == 2 ? 3 : 1) / 4
      }
    }
    return try write(
      "dump.safetensors",
      [
        PageTensor(
          name: "model.layers.0.self_attn.q_proj.input", shape: [8, 128], values: values(8, 128)),
        PageTensor(name: "layers.0.key", shape: [8, 2, 32], values: values(8, 64)),
        PageTensor(name: "layers.0.value", shape: [8, 2, 32], values: values(8, 64)),
      ])
  }

  @Test func showsEveryTensorOnce() throws {
    let measured = try measure(samplePath, dumps: [sampleDump()])
    let page = PageReader(StatisticsPage(measured, command: "decant stats").html)
    #expect(page.isSound)
    let names = page.all("th", inside: "tensors").filter { $0.attributes["scope"] == "row" }
      .map(\.text)
    let checkpoint = try Checkpoint(path: samplePath)
    let expected =
      checkpoint.tensors.map(\.name) + [
        "model.layers.0.self_attn.q_proj.input", "layers.0.key", "layers.0.value",
      ]
    #expect(names.count == 42)
    #expect(names.sorted() == expected.sorted())
  }

  @Test func sameMeasurementsGiveTheSameBytes() throws {
    let dump = try sampleDump()
    let pages = try [1, 3].map {
      StatisticsPage(
        try measure(samplePath, dumps: [dump], threads: $0), command: "decant stats"
      ).html
    }
    let areEqual = pages[0] == pages[1]
    #expect(areEqual)
  }

  @Test func asksTheNetworkForNothing() throws {
    let html = StatisticsPage(try measureTinyModel(), command: "decant stats").html
    // The one address is the name of the markup language.
    #expect(html.components(separatedBy: "://").count - 1 == 1)
    #expect(html.contains("xmlns=\"http://www.w3.org/1999/xhtml\""))
    #expect(!html.contains("url(") && !html.contains("@import"))
    let page = PageReader(html)
    #expect(page.elements.filter { $0.attributes["src"] != nil }.isEmpty)
    #expect(page.all("link").map { $0.attributes["href"] } == ["data:,"])
  }

  @Test(arguments: [
    "</script><script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' onclick='x",
    "&lt;b&gt;", "<!-- ", "]]>", "{{x}} ${x} \\u003c",
  ])
  func namesNeverBecomeMarkup(_ name: String) throws {
    let path = try write(
      "model.safetensors",
      [PageTensor(name: name, shape: [2, 64], values: (0..<128).map { Float($0 * $0) })])
    let html = StatisticsPage(try measure(path), command: "decant stats").html
    let page = PageReader(html)
    #expect(page.isSound)
    #expect(page.all("script").count == 1 && page.all("img").isEmpty)
    #expect(page.elements.filter { $0.attributes["onclick"] != nil }.isEmpty)
    let rows = page.all("th", inside: "tensors").filter { $0.attributes["scope"] == "row" }
    #expect(rows.map(\.text) == [name])
  }

  @Test func controlsAreSpelledOut() throws {
    let path = try write(
      "model.safetensors",
      [
        PageTensor(
          name: "a\u{1b}[2J\u{202e}\u{0}\u{ffff}b", shape: [1, 32],
          values: .init(repeating: 1, count: 32))
      ])
    let page = PageReader(StatisticsPage(try measure(path), command: "decant stats").html)
    #expect(page.isSound)
    let rows = page.all("th", inside: "tensors").filter { $0.attributes["scope"] == "row" }
    #expect(rows.map(\.text) == ["a\\u{1b}[2J\\u{202e}\\u{0}\u{fffd}b"])
  }

  @Test func whatIsMissingIsSaid() throws {
    let path = try write(
      "model.safetensors",
      [
        // Constant: no kurtosis, and nothing lost.
        PageTensor(
          name: "model.layers.0.self_attn.q_proj.weight", shape: [2, 64],
          values: .init(repeating: 0.5, count: 128)),
        PageTensor(
          name: "model.layers.0.self_attn.k_proj.weight", shape: [2, 64],
          values: [.nan, .infinity] + (0..<126).map { Float($0) }),
      ])
    let page = PageReader(StatisticsPage(try measure(path), command: "decant stats").html)
    #expect(page.isSound)
    let cells = page.all("td", inside: "tensors").map(\.text)
    // Two rows of twelve cells; those without kurtosis come last.
    try #require(cells.count == 24)
    #expect(cells[12 + 7] == "–" && cells[23] == "exact")
    let text = page.all("body").map(\.text).joined()
    #expect(text.contains("1 tensor holds NaN or infinity"))
    #expect(text.contains("(1 NaN, 1 infinite, of 128)"))
    #expect(page.all("dd").count { $0.text.hasPrefix("not measured") } == 3)
    #expect(page.all("td").allSatisfy { !["nan", "inf", "nil"].contains($0.text.lowercased()) })
  }

  @Test func problemsOfDumpsAreListed() throws {
    let dump = try write(
      "dump.safetensors",
      [
        PageTensor(
          name: tinyModule + ".input", shape: [1, 64], values: (0..<64).map { Float($0) }),
        PageTensor(name: "nowhere.input", shape: [1, 64], values: (0..<64).map { Float($0) }),
      ])
    let page = PageReader(
      StatisticsPage(
        try measureTinyModel(dumps: [dump], keepsGoing: true), command: "decant stats"
      ).html)
    #expect(page.isSound)
    #expect(
      page.all("li").contains {
        $0.text.contains("belongs to module 'nowhere', which the checkpoint lacks")
      })
  }

  /// Two experts with values ±1 and ±3, of kurtosis 1 each: so is their mean, unlike that of the
  /// values together (41 / 25 = 1.64).
  @Test func expertsOfALayerShareACell() throws {
    let tensors = [Float(1), 3].enumerated().map { expert, size in
      PageTensor(
        name: "model.layers.0.block_sparse_moe.experts.\(expert).w1.weight", shape: [2, 64],
        values: (0..<128).map { $0 % 2 == 0 ? size : -size })
    }
    let page = PageReader(
      StatisticsPage(
        try measure(try write("model.safetensors", tensors)), command: "decant stats"
      ).html)
    let heats = page.elements.indices.filter { page.elements[$0].attributes["class"] == "heat" }
    try #require(heats.count == 3)
    // Head: layer and one role. Body: the layer, its kurtosis, AbsMax, and nothing lost.
    let texts = heats.map { page.elements[$0].text.split(separator: "\n").last.map(String.init) }
    #expect(texts == ["01.00", "03.00", "0exact"])
  }

  /// The data that a page carries, as a program would read it.
  private func data(_ page: PageReader) throws -> JSONValue {
    let link = try #require(page.all("a").first { $0.attributes["download"] != nil })
    let address = try #require(link.attributes["href"])
    let prefix = "data:application/json;base64,"
    try #require(address.hasPrefix(prefix))
    return try JSONValue(
      parsing: Array(try #require(Data(base64Encoded: String(address.dropFirst(prefix.count))))))
  }

  @Test func saysWhatItWasMadeFromAndCarriesItsFigures() throws {
    let measured = try measure(samplePath)
    let page = PageReader(
      StatisticsPage(measured, command: "decant stats 'a b' --html <x>").html)
    let origin = page.all("dd", inside: "main") + page.all("dd").suffix(4)
    #expect(origin.contains { $0.text == "decant stats 'a b' --html <x>" })
    #expect(origin.contains { $0.text == "decant \(decantVersion)" })
    // The header: eight bytes of its length, little-endian, then as many of JSON; hashed by hand.
    let bytes = try Data(contentsOf: URL(filePath: samplePath + "/model.safetensors"))
    let length = bytes.prefix(8).enumerated().reduce(0) { $0 + Int($1.element) << (8 * $1.offset) }
    var hash = XXH64()
    hash.update(Array(bytes.prefix(8 + length)))
    let digest = String(format: "%016llx", hash.value)
    #expect(origin.contains { $0.text.contains("XXH64 of the header \(digest)") })
    let document = try data(page)
    #expect(document["tensors"]?.arrayValue?.count == 39)
    #expect(document["layers"]?.arrayValue?.count == 5)
    let tensor = try #require(document["tensors"]?.arrayValue?.first)
    #expect(tensor["kurtosis"]?.doubleValue != nil && tensor["histogram"] == nil)
  }

  /// 30 layers, of which the twelfth loses more than the others.
  @Test func longModelsShowWhatStandsOutFirst() throws {
    var noise = Noise(seed: 3)
    let tensors = (0..<30).map { layer in
      var values = (0..<2 * 64).map { _ in Float(noise.bell()) }
      if layer == 12 {
        values[0] = 40
        values[64] = 40
      }
      return PageTensor(
        name: "model.layers.\(layer).mlp.up_proj.weight", shape: [2, 64], values: values)
    }
    let page = PageReader(
      StatisticsPage(
        try measure(try write("model.safetensors", tensors)), command: "decant stats"
      ).html)
    #expect(page.isSound)
    let summaries = page.all("summary").map(\.text)
    // Three heat maps and one table of widths.
    #expect(summaries.count { $0.hasPrefix("All layers; above are those that stand out") } == 4)
    let heats = page.all("table").filter { $0.attributes["class"] == "heat" }
    let rows = heats.map { table in
      table.text.split(separator: "\n").filter { $0.first?.isNumber == true }
    }
    #expect(rows.map(\.count) == [rows[0].count, 30, rows[0].count, 30, rows[0].count, 30])
    #expect((1...8).contains(rows[0].count) && rows[0].contains { $0.hasPrefix("12") })
  }
}
