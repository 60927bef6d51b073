import Convert
import Formats
import Testing

@testable import Forward

/// Packed models run as what they are unpacked to.
@Suite struct PackedModelTests {
  @Test(arguments: [
    "llama", "gemma2", "gpt2", "mixtral", "qwen2-moe", "gpt-oss", "phi3-longrope", "mamba",
    "deepseek-v3", "falcon-7b-style", "opt",
  ])
  func runAsUnpacked(name: String) throws {
    let folder = try TemporaryFolder()
    let vector = try ReferenceVector(name)
    let packed = try pack(vector, bits: 8, into: folder.path("packed"))
    try Unpacker(
      PackedCheckpoint(packed), target: OutputTarget(path: folder.path("plain")), type: .f32,
      shardLimit: 1 << 30
    ).run(replacing: false, RunContext(threads: 2))

    let own = try logits(ForwardModel(packed), [vector.tokens])
    let plain = try logits(
      ForwardModel(Checkpoint(path: folder.path("plain"))), [vector.tokens])
    let areEqual = own == plain
    #expect(areEqual)
    // Eight bits change something, and little: a router may choose another expert for a token.
    let difference = zip(own, vector.logits).reduce(0) { $0 + abs($1.0 - $1.1) }
    #expect(difference > 0 && difference / Float(own.count) < 0.05)
  }

  /// What MLX packs has the same tensors, stacks of experts among them, and no manifest.
  @Test(arguments: ["llama", "mixtral", "qwen2-moe"])
  func runAsPackedByMLX(name: String) throws {
    let folder = try TemporaryFolder()
    let vector = try ReferenceVector(name)
    let own = try pack(vector, bits: 4, into: folder.path("packed"))
    try folder.makeFolder("mlx")
    let file = try TensorFile(folder.path("packed/model.safetensors"))
    try writeSafetensors(file.stored, to: folder.path("mlx/model.safetensors"))
    try folder.write(contents(of: folder.path("packed/config.json")), to: "mlx/config.json")
    let mlx = try Checkpoint(path: folder.path("mlx"))
    let areEqual =
      try logits(ForwardModel(mlx), [vector.tokens]) == logits(ForwardModel(own), [vector.tokens])
    #expect(areEqual)
  }

  /// Experts that lie in one tensor are read one at a time.
  @Test func readsAreWithinAMatrix() throws {
    let folder = try TemporaryFolder()
    let model = try ForwardModel(
      pack(ReferenceVector("gpt-oss"), bits: 8, into: folder.path("packed")))
    let name = "model.layers.0.mlp.experts.down_proj"
    let source = try model.source(name, order: .inputMajor)
    let (shape, tile) = (source.shape, WeightTile())
    let size = shape.outputs * shape.inputs
    #expect(shape.matrices > 1)
    try source.read(size - shape.inputs..<size, into: tile)
    let last = Array(tile.weights.prefix(shape.inputs))
    try source.read(0..<size, into: tile)
    #expect(Array(tile.weights[size - shape.inputs..<size]) == last)
    for range in [
      size - shape.inputs..<size + shape.inputs, 1..<1 + shape.inputs, 0..<shape.inputs + 1,
      shape.count..<shape.count + shape.inputs,
    ] {
      let error = try #require(throws: ConversionError.self) { try source.read(range, into: tile) }
      guard case .acrossMatrices(_, name, range, shape) = error else {
        Issue.record("\(error)")
        continue
      }
    }
  }

  private func pack(
    _ vector: ReferenceVector, bits: Int, into path: String
  ) throws -> Checkpoint {
    var options = ConversionOptions()
    options.bits = bits
    options.groupSize = 32
    let plan = try ConversionPlan(
      Checkpoint(path: vector.path), options: options, arrangement: .mlx)
    _ = try Conversion(plan, target: OutputTarget(path: path))
      .run(replacing: false, RunContext(threads: 2))
    return try Checkpoint(path: path)
  }
}
