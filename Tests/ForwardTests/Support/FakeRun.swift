import Convert
import Formats

@testable import Forward

/// Logits of a model that is quantized while it runs.
func fakeLogits(
  _ model: ForwardModel, _ point: QuantizationPoint, _ tokens: [Int]
) throws -> [Float] {
  let subject = try FakeQuantization(model).subject(at: point)
  return try logits(subject.model, [tokens], observer: subject.observer)
}

/// Keeps what another observer is shown, and what it leaves.
final class Witness: ForwardObserver {
  let before = Recorder()
  let after = Recorder()
  private let other: any ForwardObserver

  init(_ other: any ForwardObserver) { self.other = other }

  func observe(_ values: inout MutableSpan<Float>, at place: ObservedPlace) throws {
    before.observe(&values, at: place)
    try other.observe(&values, at: place)
    after.observe(&values, at: place)
  }
}
