import Convert
import Foundation
import Stats
import Testing

@testable import decant

/// Pictures of inputs and of the cache by channel and token.
@Suite struct MagnitudePictureTests {
  private let folder: Folder

  init() throws { folder = try Folder() }

  private func write(_ name: String, _ tensors: [PageTensor]) throws -> String {
    let path = folder.path + "/" + name
    try safetensors(tensors).write(to: URL(filePath: path))
    return path
  }

  private func ones(_ count: Int, except outlier: Int, _ value: Float, width: Int) -> [Float] {
    (0..<count).map { $0 % width == outlier ? value : 1 }
  }

  /// One input channel of 64 is 100 times the others, and all weights are 1: divided by `sqrt(100)`, it is 10
  /// times the others, and so are the weights that it meets.
  @Test func smoothingHalvesWhatChannelsStandOut() throws {
    let module = "model.layers.0.self_attn.q_proj"
    let model = try write(
      "model.safetensors",
      [
        PageTensor(
          name: module + ".weight", shape: [2, 64], values: Array(repeating: 1, count: 128))
      ])
    let dump = try write(
      "dump.safetensors",
      [
        PageTensor(
          name: module + ".input", shape: [3, 64], values: ones(3 * 64, except: 5, 100, width: 64))
      ])
    let measured = try measure(model, dumps: [dump], keepsMaps: true)
    let input = try #require(measured.smoothedInputs.first)
    #expect(input.spread == 100 && input.weightSpread == 1)
    #expect(input.smoothedSpread == 10 && input.smoothedWeightSpread == 10)
    #expect(input.before.cells[5] == 100 && input.after.cells[5] == 10)
    #expect(input.after.cells[4] == 1 && input.after.cells.count == 3 * 64)
    // Pictures take no part in the JSON.
    #expect(measured.tensors.allSatisfy { $0.everyChannel == nil })
    let page = PageReader(StatisticsPage(measured, command: "decant stats").html)
    #expect(page.isSound)
    let strokes = page.elements.filter { $0.name == "path" }.compactMap { path in
      path.attributes["class"].map { ($0, path.attributes["d"] ?? "") }
    }
    // 100 times the median is of the last colour, 10 times of the last but one: in column 5 of all three tokens.
    for step in ["s8", "s7"] {
      #expect(strokes.filter { $0.0 == step }.map(\.1) == ["M5 0h1M5 1h1M5 2h1"])
    }
    #expect(try measure(model, dumps: [dump]).smoothedInputs.isEmpty)
  }

  /// Of twelve layers with one outlier channel each, largest in 7, 4 and 9: these, the first and the last.
  @Test func fewLayersAreShown() throws {
    let sizes: [Float] = [2, 3, 4, 5, 40, 6, 7, 50, 8, 30, 9, 10]
    func module(_ layer: Int, _ name: String) -> String {
      "model.layers.\(layer).self_attn.\(name)"
    }
    let model = try write(
      "model.safetensors",
      sizes.indices.flatMap { layer in
        ["q_proj", "k_proj"].map { name in
          PageTensor(
            name: module(layer, name) + ".weight", shape: [32, 32],
            values: Array(repeating: 1, count: 32 * 32))
        }
      })
    // Query and key read the same, under both names.
    let dump = try write(
      "dump.safetensors",
      sizes.enumerated().flatMap { layer, size in
        ["q_proj", "k_proj"].map { name in
          PageTensor(
            name: module(layer, name) + ".input", shape: [2, 32],
            values: ones(64, except: 3, size, width: 32))
        }
          + [
            PageTensor(
              name: "layers.\(layer).key", shape: [2, 1, 32],
              values: ones(64, except: 9, size, width: 32)),
            PageTensor(
              name: "layers.\(layer).value", shape: [2, 1, 32],
              values: ones(64, except: 9, 100 - size, width: 32)),
          ]
      })
    let measured = try measure(model, dumps: [dump], keepsMaps: true)
    #expect(measured.smoothedInputs.map(\.layer) == [0, 4, 7, 9, 11])
    #expect(measured.smoothedInputs.allSatisfy { $0.name.contains("q_proj") })
    let cache = measured.tensors.filter { $0.kind.isCache && $0.map != nil }
    for kind in [TensorStatistics.Kind.key, .value] {
      #expect(cache.filter { $0.kind == kind }.map(\.layer) == [0, 4, 7, 11])
    }
    let page = PageReader(StatisticsPage(measured, command: "decant stats").html)
    let rasters = page.all("svg").filter { $0.attributes["class"] == "raster" }
    #expect(rasters.count == 2 * 5 + 2 * 4)
    #expect(rasters.allSatisfy { $0.attributes["aria-label"]?.isEmpty == false })
  }
}
