import Formats
import Testing

@testable import Convert

/// What a conversion makes zero, and conversions that bring nothing.
@Suite struct ConversionGainTests {
  private let folder: TemporaryFolder
  private static let name = "model.layers.0.mlp.up_proj.weight"

  init() throws {
    folder = try TemporaryFolder()
    try folder.makeFolder("source")
  }

  private var source: String { folder.path("source") }

  private func write(_ tensors: TestTensor...) throws {
    try writeSafetensors(tensors, to: source + "/model.safetensors")
  }

  @Test func weightsMadeZeroAreCounted() throws {
    var values = (0..<64 * 64).map { Float($0 % 7) }
    for index in [0, 100, 4095] { values[index] = .nan }
    values[17] = -.infinity
    let sound = "model.layers.1.mlp.up_proj.weight"
    try write(
      TestTensor(Self.name, .bf16, [64, 64], values: values),
      TestTensor(random: sound, .bf16, [64, 64], seed: 1),
      TestTensor("model.norm.weight", .bf16, [2], values: [.nan, 1]))
    var options = ConversionOptions()
    options.nonFinite = .zero
    let result = try convert(source, to: folder.path("out"), options: options)
    #expect(result.zeroedCounts.sorted() == [0, 0, 4])
    #expect(try validate(folder.path("out")) == [])
    let entries = try PackedCheckpoint(Checkpoint(path: folder.path("out"))).tensors.map(\.entry)
    let counts = Dictionary(uniqueKeysWithValues: entries.map { ($0.name, $0.zeroedCount) })
    #expect(counts == [Self.name: 4, sound: 0, "model.norm.weight": nil])
    // Sixteen characters, whatever the count.
    let text = String(decoding: try folder.bytes("out/model.safetensors"), as: UTF8.self)
    #expect(text.contains(#"\"zeroed\":               4"#))
  }

  @Test func nothingIsZeroWhereNonFiniteWeightsAreErrors() throws {
    try write(TestTensor(random: Self.name, .bf16, [64, 64], seed: 1))
    try convert(source, to: folder.path("out"))
    let packed = try PackedCheckpoint(Checkpoint(path: folder.path("out")))
    #expect(packed.tensors.map(\.entry.zeroedCount) == [0])
  }

  @Test func aConversionThatQuantizesNothingIsRefused() throws {
    try write(TestTensor(random: Self.name, .bf16, [64, 64], seed: 1))
    var options = ConversionOptions()
    options.keep = [try NamePattern("*")]
    #expect(throws: PlanError.nothingQuantized(path: source)) {
      try convert(source, to: folder.path("out"), options: options)
    }
    #expect(!folder.entries.contains { $0.hasPrefix("out") })
    options.minimumCoverage = 0
    try convert(source, to: folder.path("out"), options: options)
  }

  /// 8-bit floats that are kept take two bytes each.
  @Test func aConversionThatMakesTheTensorsLargerIsRefused() throws {
    let kept = "model.layers.1.mlp.up_proj.weight"
    try write(
      TestTensor(random: Self.name, .bf16, [32, 32], seed: 1),
      TestTensor(random: kept, .f8E4M3, [256, 256], seed: 2),
      TestTensor(f32: kept + "_scale", [1], [1]))
    var options = ConversionOptions()
    options.keep = [try NamePattern(kept)]
    // 4 bits with 2 * 16 for each 32 are 5 for a weight.
    let after = 2 * 256 * 256 + 32 * 32 * 5 / 8
    let before = 256 * 256 + 4 + 2 * 32 * 32
    #expect(throws: PlanError.larger(path: source, byteCount: after, sourceByteCount: before)) {
      try convert(source, to: folder.path("out"), options: options)
    }
    options.minimumCoverage = 0
    try convert(source, to: folder.path("out"), options: options)
  }
}
