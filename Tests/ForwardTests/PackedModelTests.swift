import Convert
import Formats
import Forward
import Testing

/// Packed models run as what they are unpacked to.
@Suite struct PackedModelTests {
  @Test(arguments: [
    "llama", "gemma2", "gpt2", "mixtral", "qwen2-moe", "gpt-oss", "phi3-longrope", "mamba",
    "deepseek-v3", "falcon-7b-style", "opt",
  ])
  func runAsUnpacked(name: String) throws {
    let folder = try TemporaryFolder()
    let vector = try ReferenceVector(name)
    var options = ConversionOptions()
    options.bits = 8
    options.groupSize = 32
    let plan = try ConversionPlan(
      Checkpoint(path: vector.path), options: options, arrangement: .mlx)
    let context = RunContext(threads: 2)
    _ = try Conversion(plan, target: OutputTarget(path: folder.path("packed")))
      .run(replacing: false, context)
    let packed = try Checkpoint(path: folder.path("packed"))
    try Unpacker(
      PackedCheckpoint(packed), target: OutputTarget(path: folder.path("plain")), type: .f32,
      shardLimit: 1 << 30
    ).run(replacing: false, context)

    let own = try logits(ForwardModel(packed), [vector.tokens])
    let plain = try logits(
      ForwardModel(Checkpoint(path: folder.path("plain"))), [vector.tokens])
    let areEqual = own == plain
    #expect(areEqual)
    // Eight bits change something, and little: a router may choose another expert for a token.
    let difference = zip(own, vector.logits).reduce(0) { $0 + abs($1.0 - $1.1) }
    #expect(difference > 0 && difference / Float(own.count) < 0.05)
  }
}
