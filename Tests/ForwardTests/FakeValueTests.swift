import Convert
import Formats
import Testing

@testable import Forward

/// Activations, keys and values that are quantized as they are computed, by a quantizer that is written down here
/// once more.
@Suite struct FakeValueTests {
  /// Every value that any place of a model shows, before and after.
  private func run(
    _ name: String, _ point: QuantizationPoint?
  ) throws -> [(place: String, before: [Double], after: [Double])] {
    let vector = try ReferenceVector(name)
    let subject = try FakeQuantization(vector.model()).subject(at: #require(point))
    let witness = Witness(try #require(subject.observer))
    _ = try logits(subject.model, [vector.tokens], observer: witness)
    return witness.before.values.map { place, values in
      (place, values.map(Double.init), (witness.after.values[place] ?? []).map(Double.init))
    }
  }

  private func rows(_ values: [Double], _ width: Int) -> [[Double]] {
    stride(from: 0, to: values.count, by: width).map { Array(values[$0..<$0 + width]) }
  }

  /// Around zero; the codes are whole numbers of steps up to `2^(b-1) - 1`.
  private func symmetric(_ values: [Double], bits: Int) -> [Double] {
    let most = Double((1 << (bits - 1)) - 1)
    let step = (values.map(abs).max() ?? 0) / most
    return values.map { step == 0 ? 0 : ($0 / step).rounded(.toNearestOrEven) * step }
  }

  /// Scale and offset in F16.
  private func asymmetric(_ values: [Double], bits: Int) -> [Double] {
    let group = NaiveGroup.minMax(values, bits: bits, type: .f16)
    return group.codes.map { Double($0) * group.scale + group.bias }
  }

  /// Equal but for values in the middle of two codes.
  private func agree(_ found: [Double], _ expected: [Double]) -> Bool {
    let range = (expected.max() ?? 0) - (expected.min() ?? 0)
    let apart = zip(found, expected).count { abs($0 - $1) > 1e-5 * max(range, 1e-3) }
    return found.count == expected.count && apart * 1000 <= found.count
  }

  @Test(arguments: [8, 4, 2])
  func inputsOfLinearLayers(bits: Int) throws {
    let places = try run("llama", QuantizationPoint(activations: bits))
    var compared = 0
    for (place, before, after) in places {
      guard place.hasSuffix("_proj") else {
        // The head's input, keys and values.
        let isUnchanged = before == after
        #expect(isUnchanged, "\(place)")
        continue
      }
      compared += 1
      let width = place.hasSuffix("down_proj") ? 96 : 64
      let expected = rows(before, width).flatMap { symmetric($0, bits: bits) }
      let isQuantized = agree(after, expected) && before != after
      #expect(isQuantized, "\(place)")
    }
    #expect(compared == 14)
  }

  @Test(arguments: [8, 4, 3, 2])
  func keysAndValues(bits: Int) throws {
    let places = try run("llama", QuantizationPoint(cache: bits))
    var compared = 0
    for (place, before, after) in places {
      guard place.hasSuffix(".key") || place.hasSuffix(".value") else {
        let isUnchanged = before == after
        #expect(isUnchanged, "\(place)")
        continue
      }
      compared += 1
      // Two heads of 16.
      let expected = rows(before, 16).flatMap { asymmetric($0, bits: bits) }
      let isQuantized = agree(after, expected) && before != after
      #expect(isQuantized, "\(place)")
    }
    #expect(compared == 4)
  }

  /// The latent vector as a whole; the rotated key stays.
  @Test func latentVectors() throws {
    let places = try run("deepseek-v3", QuantizationPoint(cache: 4))
    #expect(try changes(places.filter { $0.place.hasSuffix(".latent") }) == [true])
    #expect(try changes(places.filter { $0.place.hasSuffix(".rope_key") }) == [false])
  }

  /// Routers choose by what they read before quantization. The weights of `w2` have inputs that no group divides:
  /// they stay as they are, and so do the inputs.
  @Test func whatIsNotQuantizedReadsWhatIsNot() throws {
    let places = try run("mixtral", QuantizationPoint(activations: 4))
    #expect(try changes(places.filter { $0.place.hasSuffix("block_sparse_moe.gate") }) == [false])
    let experts = places.filter { $0.place.contains(".experts.") }
    #expect(try changes(experts.filter { $0.place.hasSuffix(".w2") }) == [false])
    #expect(try changes(experts.filter { $0.place.hasSuffix(".w1") }) == [true])
    let groups = try FakeQuantization(ReferenceVector("mixtral").model()).groups
    #expect(!groups.kept.isEmpty && groups.kept.allSatisfy { $0.hasSuffix(".w2.weight") })
    #expect(Set(groups.kept).count == groups.kept.count)
  }

  /// Whether values are changed, of places of which there is at least one.
  private func changes(
    _ places: [(place: String, before: [Double], after: [Double])]
  ) throws -> Set<Bool> {
    try #require(!places.isEmpty)
    return Set(places.map { $0.before != $0.after })
  }
}
