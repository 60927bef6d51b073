import Convert
import Formats
import Forward
import Foundation
import Testing

/// What is measured while a model reads a text.
@Suite struct CaptureTests {
  private let folder: TemporaryFolder
  private let dump: String
  private var options = MeasureOptions()

  init() throws {
    folder = try TemporaryFolder()
    dump = folder.path("dump.safetensors")
    options.keepsChannels = true
  }

  private func capture(
    _ path: String, _ tokens: [Int], length: Int, threads: Int = 2, keeping dump: String? = nil
  ) throws -> [TensorStatistics] {
    let model = try ForwardModel(Checkpoint(path: path))
    return try TextCapture(model, tokens, WindowPlan(length: length), options: options)
      .run(keeping: dump, RunContext(threads: threads)).tensors
  }

  /// The dump that is kept, measured as any other.
  private func measureDump(of path: String) throws -> [TensorStatistics] {
    try Calibration([dump], of: Checkpoint(path: path), options: options)
      .run(RunContext(threads: 1))
  }

  /// Mixtures: tokens of an expert are those that are sent to it.
  @Test(arguments: ["llama", "mixtral", "gpt2", "qwen2-moe", "gpt-oss", "deepseek-v3"])
  func figuresAreThoseOfTheDumpThatIsKept(_ name: String) throws {
    let vector = try ReferenceVector(name)
    // Two windows, and one thread or several.
    let found = try capture(vector.path, vector.tokens, length: 24, threads: 3, keeping: dump)
    #expect(found.count > 4)
    for others in [
      try capture(vector.path, vector.tokens, length: 24, threads: 1),
      try measureDump(of: vector.path),
    ] {
      #expect(others.map(\.name).sorted() == found.map(\.name).sorted())
      for other in others {
        let own = try #require(found.first { $0.name == other.name })
        #expect(own.shape == other.shape && own.distribution == other.distribution)
        #expect(own.everyChannel?.meanSquare == other.everyChannel?.meanSquare)
        #expect(own.roundTrips.map(\.error) == other.roundTrips.map(\.error))
        #expect(own.rotation == other.rotation, "\(own.name)")
      }
    }
  }

  /// transformers' own inputs, keys and values, in a file that is nearly a dump.
  @Test(arguments: ["llama", "gemma2", "opt-post-norm", "gpt2", "deepseek-v3"])
  func figuresAreThoseOfWhatTransformersComputes(_ name: String) throws {
    let vector = try ReferenceVector(name)
    let found = try capture(vector.path, vector.tokens, length: vector.tokens.count)
    // Its logits are no part of a dump.
    var lenient = options
    lenient.keepsGoing = true
    let expected = try Calibration(
      [vector.path + "/reference.safetensors"], of: Checkpoint(path: vector.path), options: lenient
    ).run(RunContext(threads: 2))
    var compared = 0
    for tensor in expected {
      guard let own = found.first(where: { $0.name == tensor.name }) else { continue }
      compared += 1
      #expect(own.shape == tensor.shape && own.role == tensor.role && own.kind == tensor.kind)
      let (a, b) = (own.everyChannel?.meanSquare ?? [], tensor.everyChannel?.meanSquare ?? [])
      #expect(!a.isEmpty && a.count == b.count)
      #expect(zip(a, b).allSatisfy { abs($0 - $1) < 1e-4 * max(1, abs($1)) }, "\(tensor.name)")
      let (x, y) = (own.distribution.absMax ?? .nan, tensor.distribution.absMax ?? .nan)
      #expect(abs(x - y) < 5e-5 * max(1, y))
    }
    // At least the inputs of one layer, and what two cache.
    #expect(compared >= 6)
    let cached: Set<TensorStatistics.Kind> =
      name == "deepseek-v3" ? [.latent, .rotaryKey] : [.key, .value]
    #expect(Set(found.map(\.kind)).subtracting([.activation]) == cached)
  }

  @Test func aDumpIsNotWrittenOverAnotherFile() throws {
    let vector = try ReferenceVector("llama")
    try folder.write("here already", to: "dump.safetensors")
    #expect(throws: FileError.self) {
      _ = try capture(vector.path, vector.tokens, length: 24, keeping: dump)
    }
    #expect(try folder.bytes("dump.safetensors") == Array("here already".utf8))
  }
}
