import Convert
import Formats
import Forward
import Foundation
@_exported import TestSupport
import Testing

/// Files that come with the tests; `Fixtures/README.md` says how each was made.
enum Fixture {
  static func path(_ name: String) throws -> String {
    try #require(Bundle.module.resourcePath) + "/Fixtures/" + name
  }
}

/// A tiny checkpoint with what transformers computes for one window of tokens.
struct ReferenceVector {
  let path: String
  let reference: TensorFile
  private let json: JSONValue

  /// What transformers computes.
  static let names = directories(of: "vectors")
  /// What formulas give, of families and options that the others leave out.
  static let formulas = directories(of: "formulas")

  private static func directories(of folder: String) -> [String] {
    let folder = (try? Fixture.path(folder)) ?? ""
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return entries.filter { !$0.contains(".") }.sorted()
  }

  init(_ name: String, in folder: String = "vectors") throws {
    path = try Fixture.path(folder + "/" + name)
    reference = try TensorFile(path + "/reference.safetensors")
    json = try JSONValue(parsing: contents(of: path + "/reference.json"))
  }

  func model() throws -> ForwardModel { try ForwardModel(Checkpoint(path: path)) }

  var tokens: [Int] { reference.integers("input_ids") }
  var logits: [Float] { reference.floats("logits") }
  var meanLoss: Double { get throws { try #require(json["mean_nll"]?.doubleValue) } }

  /// The tensor of `reference` that a module's input is in, for each module of which it was kept.
  var inputs: [(module: String, tensor: String)] {
    (json["inputs"]?.members ?? []).map { ($0.name, $0.value.stringValue ?? "") }
  }
}

/// Logits of windows that go through a model together.
func logits(
  _ model: ForwardModel, _ windows: [[Int]], options: ForwardOptions = ForwardOptions(),
  observer: (any ForwardObserver)? = nil, threads: Int = 2
) throws -> [Float] {
  try ForwardPass(
    model, TokenBatch(windows), options: options, observer: observer, RunContext(threads: threads)
  ).logits()
}

/// Keeps everything it is shown.
final class Recorder: ForwardObserver {
  private(set) var values: [String: [Float]] = [:]

  func observe(_ values: inout MutableSpan<Float>, at place: ObservedPlace) {
    let copy = values.indices.map { values[$0] }
    for name in names(of: place) { self.values[name, default: []] += copy }
  }

  private func names(of place: ObservedPlace) -> [String] {
    let layer = place.layer.map { "layers.\($0)." } ?? ""
    return switch place.kind {
    case .input(let modules): modules
    case .keys: [layer + "key"]
    case .values: [layer + "value"]
    case .latent: [layer + "latent"]
    case .rotaryKey: [layer + "rope_key"]
    }
  }
}

/// A copy of a vector's checkpoint that a test changes, all tensors in F32.
struct ChangedModel {
  var config: JSONValue
  var tensors: [TestTensor]
  let folder: TemporaryFolder

  init(_ name: String) throws {
    let path = try Fixture.path("vectors/" + name)
    config = try JSONValue(parsing: contents(of: path + "/config.json"))
    let file = try TensorFile(path + "/model.safetensors")
    tensors = file.names.map { TestTensor(f32: $0, file.shape($0), file.floats($0)) }
    folder = try TemporaryFolder()
  }

  func open() throws -> ForwardModel {
    try folder.write(config.prettyText, to: "config.json")
    try writeSafetensors(tensors, to: folder.path("model.safetensors"))
    return try ForwardModel(Checkpoint(path: folder.path))
  }

  mutating func replace(_ name: String, _ change: (TestTensor) -> TestTensor?) {
    tensors = tensors.compactMap { $0.name == name ? change($0) : $0 }
  }
}
