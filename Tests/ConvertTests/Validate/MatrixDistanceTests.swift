import Formats
import Testing

@testable import Convert

/// The distances that a comparison reports, held against plain arithmetic on what `unpack` wrote.
@Suite struct MatrixDistanceTests {
  private func report(_ pack: SmallPack, against source: String?) throws -> ValidationReport {
    try Validator(path: pack.one).report(
      against: source, RunContext(threads: 2))
  }

  @Test func everyMatrixHasOne() throws {
    let pack = try SmallPack()
    let distances = try #require(try report(pack, against: pack.source).distances)
    #expect(
      Set(distances.map(\.tensor)) == [SmallPack.embedding, SmallPack.up, SmallPack.down])
    try unpack(pack.one, to: pack.folder.path + "/plain", type: .f32)
    let plain = try Checkpoint(path: pack.folder.path + "/plain")
    let source = try Checkpoint(path: pack.source)
    for distance in distances {
      let weights = try values(distance.tensor, in: source).map(Double.init)
      let decoded = try values(distance.tensor, in: plain).map(Double.init)
      let norm = weights.reduce(0) { $0 + $1 * $1 }
      let error = zip(weights, decoded).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      let relative = try #require(distance.error.relativeError)
      #expect(abs(relative - (error / norm).squareRoot()) < 1e-9)
      #expect(relative > 0.01 && relative < 0.2)
      #expect(distance.layout?.groupSize == (distance.tensor == SmallPack.down ? 32 : 64))
    }
  }

  @Test func withoutASourceThereIsNone() throws {
    let pack = try SmallPack()
    #expect(try report(pack, against: nil).distances == nil)
  }

  @Test func aKeptMatrixHasNoDistance() throws {
    let pack = try SmallPack()
    var options = ConversionOptions()
    options.keep = [try NamePattern("*up_proj*")]
    try convert(pack.source, to: pack.one, options: options, replacing: true)
    let distances = try report(pack, against: pack.source).distances
    let kept = try #require(distances?.first { $0.tensor == SmallPack.up })
    #expect(kept.layout == nil && kept.error == .init())
  }
}
