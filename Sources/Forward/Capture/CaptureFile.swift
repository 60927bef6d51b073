import Formats
import Model

/// A dump of what is computed in a model (docs/DUMPS.md), written while it runs.
final class CaptureFile {
  let path: String
  private let writer: DumpWriter
  private let model: ForwardModel
  /// Modules that read what another one reads, by that one's name.
  private var sharedInputs: [(module: String, other: String)] = []
  private var isShared: Set<String> = []

  /// Creates the file; one that is there already is an error.
  ///
  /// - Parameter blocks: in how many pieces the windows come.
  init(creating path: String, of model: ForwardModel, blocks: Int) throws {
    self.path = path
    self.model = model
    let names = model.weights.names
    let matrices = model.matrixCount
    let longest = names.map(\.utf8.count).max() ?? 0
    writer = try DumpWriter(
      creating: path, tensorLimit: blocks * (matrices + 2 * model.description.layers.count + 1),
      nameLength: longest + 16, metadataLength: names.count * 2 * (longest + 8) + 256)
  }

  /// Adds what an observer is shown; what a dump has no name for is left out.
  func add(_ values: Span<Float>, at place: ObservedPlace) throws {
    guard place.tokens.count > 0 else { return }
    switch place.kind {
    case .input(let modules):
      try writer.append("\(modules[0]).input", tokenShape: [place.features], values)
      for module in modules.dropFirst() where isShared.insert(module).inserted {
        sharedInputs.append((module, modules[0]))
      }
    case .keys: try addCache("key", values, place)
    case .values: try addCache("value", values, place)
    case .latent: try addCache("latent", values, place)
    case .rotaryKey: try addCache("rope_key", values, place)
    }
  }

  private func addCache(_ kind: String, _ values: Span<Float>, _ place: ObservedPlace) throws {
    guard let layer = place.layer else { return }
    var shape = [place.features]
    if case .attention(let attention) = model.description.layers[layer].mixer {
      let heads = attention.heads.keyValueCount
      shape = [heads, place.features / heads]
    }
    try writer.append("layers.\(layer).\(kind)", tokenShape: shape, values)
  }

  /// - Parameter rotation: of the keys.
  func finish(tokens: Int, rotation: TensorDump.Rotation) throws {
    var metadata = [
      (name: "model", value: model.weights.checkpoint.path), ("tokens", "\(tokens)"),
      ("rope", rotation.rawValue),
    ]
    if !sharedInputs.isEmpty {
      let shared = JSONValue.object(sharedInputs.map { .init($0.module, .string($0.other)) })
      metadata.append(("shared_inputs", shared.compactText))
    }
    try writer.finish(metadata: metadata)
  }

  /// Waits until everything is on the disk: for a file that is kept.
  func synchronize() throws(FileError) { try writer.synchronize() }
}

extension LayerDescription {
  /// Whether the keys are rotated when they are cached.
  var rotation: TensorDump.Rotation {
    switch mixer {
    case .attention(let attention): attention.rotary == nil ? .none : .after
    case .latentAttention: .after
    case .mamba, .mamba2: .none
    }
  }
}
