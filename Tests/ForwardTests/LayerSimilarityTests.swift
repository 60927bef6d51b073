import Convert
import Formats
import Foundation
import Testing

@testable import Forward

/// How much layers change the hidden states.
@Suite struct LayerSimilarityTests {
  /// By hand: 24 / 25 and 0; the third token has no length.
  @Test func isTheMeanOverTokens() {
    var similarity = LayerSimilarity(layer: 3)
    #expect(similarity.cosine == nil)
    let (entering, leaving): ([Float], [Float]) = ([3, 4, 1, 0, 0, 0], [4, 3, 0, 1, 1, 1])
    similarity.add(entering.span, leaving.span, features: 2)
    #expect(similarity.cosine == 0.48)
    let (one, opposite): ([Float], [Float]) = ([-2, 1], [6, -3])
    similarity.add(one.span, opposite.span, features: 2)
    #expect(abs((similarity.cosine ?? 2) - (0.96 - 1) / 3) < 1e-15)
  }

  /// Of the mean squares of what transformers gives to linear layers; one window, or two on other threads.
  @Test func sumsAreThoseOfTransformers() throws {
    let vector = try ReferenceVector("llama")
    let model = try vector.model()
    func capture(_ length: Int, threads: Int) throws -> CapturedStatistics {
      try TextCapture(model, vector.tokens, WindowPlan(length: length), options: MeasureOptions())
        .run(RunContext(threads: threads))
    }
    let found = try capture(48, threads: 1)
    for name in ["self_attn.q_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.down_proj"] {
      let input = "model.layers.1.\(name).input"
      let expected = vector.reference.values(input).reduce(0) { $0 + $1 * $1 } / 48
      let own = try #require(found.tensors.first { $0.name == input }?.meanSquareSum)
      #expect(abs(own / expected - 1) < 1e-4)
    }
    #expect(found.similarities.map(\.layer) == [0, 1])
    let cosines = try found.similarities.map { try #require($0.cosine) }
    // Layers add to what they are given, and are not the identity.
    #expect(cosines.allSatisfy { $0 > 0 && $0 < 0.9999 })
    #expect(try capture(24, threads: 3).similarities == capture(24, threads: 1).similarities)
  }
}
