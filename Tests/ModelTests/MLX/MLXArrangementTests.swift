import Formats
import Foundation
import TestSupport
import Testing

@testable import Model

/// Names and shapes, against what mlx-lm itself made of the same tensors.
@Suite struct MLXArrangementTests {
  struct Family: Sendable, CustomTestStringConvertible {
    let name: String
    var config = ModelConfig(document: [:])
    var source: [(name: String, shape: [UInt64])] = []
    var mlx: [String: [UInt64]] = [:]

    var testDescription: String { name }
  }

  static let families: [Family] = {
    let text =
      (try? String(contentsOfFile: SharedFixture.path("mlx-names.txt"), encoding: .utf8)) ?? ""
    var families: [Family] = []
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 1).map(String.init)
      let last = families.count - 1
      switch words[0] {
      case "family": families.append(Family(name: words[1]))
      case "config":
        families[last].config = ModelConfig(
          document: (try? JSONValue(parsing: Array(words[1].utf8))) ?? [:])
      default:
        let tensor = words[1].split(separator: " ").map(String.init)
        let shape = tensor[1] == "-" ? [] : tensor[1].split(separator: "x").map { UInt64($0)! }
        if words[0] == "source" {
          families[last].source.append((tensor[0], shape))
        } else {
          families[last].mlx[tensor[0]] = shape
        }
      }
    }
    return families
  }()

  /// Names and shapes of an arrangement's tensors that are not left out.
  private func arranged(_ family: Family) -> [(name: String, shape: [UInt64])] {
    let naming = TensorNaming(
      config: family.config, tensors: family.source.map { ($0.name, $0.shape.map { Int($0) }) })
    let sources = family.source.map { tensor in
      ListedTensor(
        name: tensor.name, dtype: .bf16, shape: tensor.shape,
        order: naming.identify(
          name: tensor.name, dtype: .bf16, shape: tensor.shape.map { Int($0) }
        ).order)
    }
    return MLXArrangement(config: family.config, tensors: sources).items.compactMap { item in
      switch item {
      case .same(let place), .keep(let place, _):
        (sources[place].name, sources[place].shape)
      case .made(let made, _): (made.name, made.shape)
      case .drop: nil
      }
    }
  }

  private func isPacked(_ name: String, _ shape: [UInt64]) -> Bool {
    let treatment = TensorNaming(config: nil).identify(
      name: name, dtype: .bf16, shape: shape.map { Int($0) }
    ).treatment
    if case .quantize = treatment { return true }
    return false
  }

  @Test(arguments: families) func hasTheNamesOfMLX(_ family: Family) {
    let found = arranged(family)
    let byName = Dictionary(
      found.map { ($0.name, $0.shape) }, uniquingKeysWith: { first, _ in first })
    #expect(byName.count == found.count)
    // Whatever is packed is what the loader knows; the rest it may still rename and turn itself.
    for (name, shape) in found where isPacked(name, shape) {
      // Its loaders leave out other parts and the heads of tied models.
      guard !name.hasPrefix("mtp."), name != "lm_head.weight" else { continue }
      #expect(family.mlx[name] == shape, "\(name)")
    }
    for (name, shape) in family.mlx where isPacked(name, shape) {
      // Routers, which are kept, and renamed on loading.
      guard !name.contains(".mlp.gate.") else { continue }
      #expect(byName[name] == shape, "\(name)")
    }
  }

  @Test func thereAreFamiliesOfEveryKind() {
    #expect(Self.families.count == 57)
    let made = Self.families.filter { family in
      arranged(family).map(\.name) != family.source.map(\.name)
    }
    #expect(made.count == 49)
  }

  // MARK: - What is no model's

  private func items(_ config: JSONValue, _ tensors: [(String, [UInt64])]) -> [ArrangedItem] {
    MLXArrangement(
      config: ModelConfig(document: config),
      tensors: tensors.map { .init(name: $0, dtype: .bf16, shape: $1, order: .outputMajor) }
    ).items
  }

  @Test(arguments: [
    // A gap, another shape, a number that is written in another way, no matrices.
    [("0", [64]), ("1", [64])],
    [("0", [64, 32]), ("2", [64, 32])], [("0", [64, 32]), ("1", [32, 32])],
    [("00", [64, 32]), ("01", [64, 32])], [("1", [64, 32] as [UInt64])],
  ]) func whatIsNoStackStaysApart(_ experts: [(String, [UInt64])]) {
    let tensors = experts.map { ("model.layers.0.mlp.experts.\($0).up_proj.weight", $1) }
    #expect(
      items(["model_type": "qwen3_moe"], tensors) == tensors.indices.map { .same($0) })
  }

  @Test(
    arguments: [
      ["qk_nope_head_dim": 0, "v_head_dim": 64], ["qk_nope_head_dim": 32, "v_head_dim": 63],
      ["qk_nope_head_dim": "32", "v_head_dim": 64], [:],
      ["qk_nope_head_dim": .integer(1 << 40), "v_head_dim": .integer(1 << 40)],
    ] as [JSONValue]) func headsThatDoNotFitAreLeft(_ heads: JSONValue)
  {
    var config = heads
    config["model_type"] = "deepseek_v3"
    #expect(
      items(config, [("model.layers.0.self_attn.kv_b_proj.weight", [192, 64])]) == [.same(0)])
  }

  @Test func anUnknownFamilyKeepsItsNames() {
    let tensors: [(String, [UInt64])] = [("model.layers.0.mlp.experts.0.up_proj.weight", [64, 32])]
    #expect(items(["model_type": "of_tomorrow"], tensors) == [.same(0)])
    #expect(items([:], tensors) == [.same(0)])
  }
}
