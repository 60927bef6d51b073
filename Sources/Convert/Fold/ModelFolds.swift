import Formats
import Model

/// The channels of a checkpoint whose scales are free, under the names that its files have.
package struct ModelFolds: Sendable {
  let checkpoint: Checkpoint
  package let description: DecoderDescription
  private let tensors: [String: SourceTensor]
  private let missingPrefix: String

  /// - Throws: `FoldError.packed`; `ArchitectureError` where there is no configuration, or one of a family that
  ///   is not known; what `sourceTensors` throws.
  package init(_ checkpoint: Checkpoint) throws {
    guard let config = checkpoint.configDocument?.json else {
      throw ArchitectureError.noConfiguration
    }
    description = try DecoderDescription(config: config)
    let tensors = try checkpoint.sourceTensors()
    guard !tensors.contains(where: \.isPacked) else {
      throw FoldError.packed(path: checkpoint.path)
    }
    self.checkpoint = checkpoint
    self.tensors = Dictionary(
      tensors.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    missingPrefix = description.missingPrefix(in: tensors.lazy.map(\.name))
  }

  /// The name that the files have for a tensor or a module of the description.
  func stored(_ name: String) -> String { description.stored(name, without: missingPrefix) }

  /// A tensor of a part of the description.
  ///
  /// - Throws: `FoldError.missingTensor`, `.wrongShape`.
  func tensor(_ name: String, _ shape: [Int]) throws(FoldError) -> SourceTensor {
    let name = stored(name)
    guard let tensor = tensors[name] else {
      throw .missingTensor(path: checkpoint.path, tensor: name)
    }
    guard tensor.dimensions == shape else {
      throw .wrongShape(
        path: checkpoint.path, tensor: name, shape: tensor.dimensions, expected: shape)
    }
    return tensor
  }

  /// All numbers of a vector.
  ///
  /// - Throws: as `tensor`; `FileError`, `ConversionError`.
  func numbers(_ name: String, _ shape: [Int]) throws -> [Float] {
    let tensor = try tensor(name, shape)
    let source = WeightSource(
      name: tensor.name, file: checkpoint.fileName(of: tensor),
      storage: tensor.storage(in: checkpoint, scales: [nil], turning: .outputMajor),
      nonFinite: .error)
    let tile = WeightTile()
    try source.read(0..<source.shape.count, into: tile)
    return Array(tile.weights.prefix(source.shape.count))
  }
}
