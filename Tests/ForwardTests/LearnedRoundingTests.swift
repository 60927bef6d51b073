import Convert
import Formats
import Foundation
import Testing

@testable import Forward

/// Codes that are learned from a calibration, and written.
@Suite struct LearnedRoundingTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private struct Made {
    let packed: PackedCheckpoint
    let learned: PackedCheckpoint
    let layers: [LearnedRounding.Layer]
  }

  /// Packed at 2 bits, and the same with learned codes.
  private func make(
    _ vector: ReferenceVector, threads: Int, name: String
  ) throws -> Made {
    let source = try vector.model()
    var options = ConversionOptions()
    options.bits = 2
    options.groupSize = 32
    let first = folder.path("first-" + name)
    let context = RunContext(threads: threads)
    _ = try Conversion(
      ConversionPlan(source.checkpoint, options: options), target: OutputTarget(path: first)
    ).run(replacing: false, context)
    let packed = try PackedCheckpoint(Checkpoint(path: first))
    let (codes, layers) = try LearnedRounding(
      source, packed: packed, tokens: vector.tokens, windowLength: 16
    ).run(context)
    let path = folder.path("learned-" + name)
    try CodeRewrite(packed, codes, target: OutputTarget(path: path)).run(replacing: false, context)
    return Made(
      packed: packed, learned: try PackedCheckpoint(Checkpoint(path: path)), layers: layers)
  }

  @Test(arguments: ["llama", "gemma", "qwen3"])
  func aLayerComesCloserToItsSource(_ name: String) throws {
    let vector = try ReferenceVector(name)
    let made = try make(vector, threads: 2, name: name)
    let source = try vector.model()
    #expect(made.layers.count == source.description.layers.count)
    #expect(made.layers.allSatisfy { $0.after < $0.before })
    // On the windows that it saw, the model as a whole is closer too.
    func divergence(_ packed: PackedCheckpoint) throws -> Double {
      try Evaluation(WindowPlan(length: 16), RunContext(threads: 2)).divergence(
        of: ForwardModel(packed.checkpoint), from: source, on: vector.tokens
      ).divergence.mean
    }
    #expect(try divergence(made.learned) < divergence(made.packed))

    var changed = 0
    for (before, after) in zip(made.packed.tensors, made.learned.tensors) {
      #expect(before.entry.name == after.entry.name)
      guard let old = try made.packed.groups(of: before),
        let new = try made.learned.groups(of: after)
      else {
        #expect(before.entry == after.entry)
        continue
      }
      // Scales and biases stay, and no code moves by more than one.
      #expect(old.groups.scales == new.groups.scales && old.groups.biases == new.groups.biases)
      #expect(zip(old.groups.codes, new.groups.codes).allSatisfy { abs(Int($0) - Int($1)) <= 1 })
      let count = zip(old.groups.codes, new.groups.codes).count { $0 != $1 }
      changed += count
      let isOfLayer = before.entry.name.contains("layers.")
      #expect(isOfLayer || count == 0, "\(before.entry.name) is of no layer")
      #expect(after.entry.method == (isOfLayer ? "learn" : before.entry.method))
      if count > 0 { #expect(before.entry.error != after.entry.error) }
    }
    #expect(changed > 0)
  }

  /// Of a model whose matrices are stored otherwise than they are packed, nothing can be learned yet.
  @Test func otherMatricesAreRefused() throws {
    #expect(throws: LearningError.self) {
      _ = try make(ReferenceVector("gpt-neox"), threads: 2, name: "other")
    }
  }

  /// Its errors and checksums are those of what it holds.
  @Test func whatIsWrittenIsValid() throws {
    let vector = try ReferenceVector("llama")
    let made = try make(vector, threads: 2, name: "valid")
    let report = try Validator(path: made.learned.checkpoint.path)
      .report(against: vector.path, adapters: nil, RunContext(threads: 2))
    #expect(report.findings.isEmpty, "\(report.findings)")
  }

  @Test func theNumberOfThreadsDoesNotMatter() throws {
    let vector = try ReferenceVector("llama")
    let one = try make(vector, threads: 1, name: "one").learned.checkpoint.path
    let three = try make(vector, threads: 3, name: "three").learned.checkpoint.path
    #expect(
      try Data(contentsOf: URL(filePath: one + "/model.safetensors"))
        == Data(contentsOf: URL(filePath: three + "/model.safetensors")))
  }
}
