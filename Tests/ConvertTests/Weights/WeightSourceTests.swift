import Formats
import Foundation
import Testing

@testable import Convert

/// Tiles of every way in which weights lie hold the weights that the naive judge reads.
@Suite struct WeightSourceTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func tensor(_ shape: [Int]) throws -> (Checkpoint, Checkpoint.Tensor, [Float]) {
    let path = folder.path + "/\(shape.count)-\(shape[0]).safetensors"
    try writeSafetensors([TestTensor(random: "w", .f32, shape, seed: 5)], to: path)
    let checkpoint = try Checkpoint(path: path)
    let values = try #require(NaiveFile(path: path).tensors["w"]).values.map { Float($0) }
    return (checkpoint, checkpoint.tensors[0], values)
  }

  private func read(_ source: WeightSource) throws -> [Float] {
    let tile = WeightTile()
    var all: [Float] = []
    for range in source.tiles() {
      #expect(range.lowerBound == all.count)
      try source.read(range, into: tile)
      all += tile.weights[..<range.count]
    }
    return all
  }

  private func source(_ storage: any WeightStorage) -> WeightSource {
    WeightSource(name: "w", file: "f", storage: storage, nonFinite: .error)
  }

  @Test(arguments: [[7], [5, 96], [3, 700, 384], [2, 0, 4]])
  func plainWeightsAreReadAsTheyLie(_ shape: [Int]) throws {
    let (checkpoint, tensor, values) = try tensor(shape)
    let storage = PlainStorage(checkpoint: checkpoint, tensor: tensor, scale: nil)
    #expect(try read(source(storage)) == values)
  }

  /// More than a tile of each, and one row beyond a whole number of tiles.
  @Test(arguments: [[96, 5], [384, 1367], [3, 384, 700], [2, 32, 1]])
  func inputMajorWeightsAreReadOutputByOutput(_ shape: [Int]) throws {
    let (checkpoint, tensor, values) = try tensor(shape)
    let storage = try #require(
      InputMajorStorage(checkpoint: checkpoint, tensor: tensor, scale: nil))
    let (inputs, outputs) = (shape[shape.count - 2], shape[shape.count - 1])
    let matrices = values.count / inputs / outputs
    var expected: [Float] = []
    for matrix in 0..<matrices {
      for output in 0..<outputs {
        for input in 0..<inputs {
          expected.append(values[(matrix * inputs + input) * outputs + output])
        }
      }
    }
    #expect(try read(source(storage)) == expected)
    for index in [0, expected.count / 2, expected.count - 1] {
      #expect(values[storage.storedIndex(of: index)] == expected[index])
    }
  }

  @Test func theFirstWeightThatIsNotFiniteIsTheFirstInTheFile() throws {
    var values = [Float](repeating: 1, count: 64 * 3)
    // Input 2 of output 1 lies before input 4 of output 0.
    values[2 * 3 + 1] = .infinity
    values[4 * 3 + 0] = .nan
    let path = folder.path + "/bad.safetensors"
    try writeSafetensors([TestTensor("w", .f32, [64, 3], values: values)], to: path)
    let checkpoint = try Checkpoint(path: path)
    var source = source(
      try #require(
        InputMajorStorage(checkpoint: checkpoint, tensor: checkpoint.tensors[0], scale: nil)))
    #expect(
      throws: ConversionError.nonFinite(
        file: "f", tensor: "w", index: 2 * 3 + 1, value: "inf", count: 2)
    ) { try read(source) }
    source.nonFinite = .zero
    let tile = WeightTile()
    try source.read(0..<64 * 3, into: tile)
    #expect(tile.zeroedCount == 2 && tile.weights[64 + 2] == 0 && tile.weights[4] == 0)
  }

  private struct Doubling: WeightTransform {
    let needsWholeRows: Bool
    func apply(to tile: WeightTile, _ range: Range<Int>, of shape: MatrixShape) {
      for index in 0..<range.count { tile.weights[index] *= 2 }
    }
  }

  @Test func transformsAskForWholeRowsAndAreAppliedInOrder() throws {
    let (checkpoint, tensor, values) = try tensor([3, 700, 384])
    var source = source(PlainStorage(checkpoint: checkpoint, tensor: tensor, scale: nil))
    source.transforms = [Doubling(needsWholeRows: false), Doubling(needsWholeRows: true)]
    for tile in source.tiles() {
      #expect(tile.lowerBound % 384 == 0 && tile.upperBound % 384 == 0)
      #expect(tile.lowerBound / 384 / 700 == (tile.upperBound - 1) / 384 / 700)
    }
    #expect(try read(source) == values.map { 4 * $0 })
  }
}
