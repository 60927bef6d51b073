import Formats
import Foundation

/// A checkpoint of four layers, one of which stands out, and dumps that go with it.
final class StatisticsSample {
  private let folder: Folder

  var path: String { folder.path + "/model" }
  /// Inputs, keys and values of every layer.
  var dump: String { folder.path + "/dump.safetensors" }
  /// Keys of a layer that the model lacks.
  var misfit: String { folder.path + "/misfit.safetensors" }

  private struct Tensor {
    let name: String
    let shape: [Int]
    let values: [Float]

    /// Values between -1 and 1 without any order.
    init(_ name: String, _ shape: [Int], scale: Float = 1) {
      self.name = name
      self.shape = shape
      let count = shape.reduce(1, *)
      values = (0..<count).map {
        Float(($0 * 7919 + name.utf8.count * 31) % 2003 - 1001) / 1001 * scale
      }
    }

    init(_ tensor: Tensor, replacing places: [Int: Float]) {
      (name, shape) = (tensor.name, tensor.shape)
      values = tensor.values.enumerated().map { places[$0.offset] ?? $0.element }
    }
  }

  /// - Parameter damaged: whether a weight of layer 1 holds a NaN and an infinity.
  init(damaged: Bool = false) throws {
    folder = try Folder()
    try folder.makeFolder("model")
    let prefix = "model.layers."
    var weights = [
      Tensor("model.embed_tokens.weight", [64, 32]), Tensor("lm_head.weight", [64, 32]),
    ]
    var captured = [Tensor("lm_head.input", [8, 32])]
    for layer in 0..<4 {
      var up = Tensor(prefix + "\(layer).mlp.up_proj.weight", [32, 32], scale: 1e-4)
      if layer == 2 { up = Tensor(up, replacing: [5: 30]) }
      if layer == 1, damaged { up = Tensor(up, replacing: [7: .nan, 8: -.infinity]) }
      weights += [up, Tensor(prefix + "\(layer).input_layernorm.weight", [32])]
      var inputs = Tensor(prefix + "\(layer).mlp.up_proj.input", [8, 32], scale: 1e-3)
      var keys = Tensor("layers.\(layer).key", [8, 2, 16], scale: 1e-3)
      if layer == 2 {
        inputs = Tensor(inputs, replacing: [40: -150_000])
        keys = Tensor(keys, replacing: [40: 150_000])
      }
      captured += [inputs, keys, Tensor("layers.\(layer).value", [8, 2, 16])]
    }
    try write(weights, to: "model/model.safetensors")
    try folder.write("model/config.json", #"{"model_type": "llama"}"#)
    try write(captured, to: "dump.safetensors")
    try write([Tensor("layers.4.key", [8, 2, 16])], to: "misfit.safetensors")
  }

  private func write(_ tensors: [Tensor], to name: String) throws {
    try writeSafetensors(
      tensors.map { TestTensor(f32: $0.name, $0.shape, $0.values) }, to: folder.path(name))
  }

  /// Writes an importance matrix in llama.cpp's older form, and returns its path.
  func importanceMatrix() throws -> String {
    let name = "blk.0.ffn_up.weight"
    let values = (0..<32).map { Float($0) }
    let bytes =
      littleEndian(UInt32(1)) + littleEndian(UInt32(name.utf8.count)) + Array(name.utf8)
      + littleEndian(UInt32(1)) + littleEndian(UInt32(values.count))
      + values.flatMap { littleEndian($0.bitPattern) }
    let path = folder.path + "/imatrix.dat"
    try Data(bytes).write(to: URL(filePath: path))
    return path
  }
}
