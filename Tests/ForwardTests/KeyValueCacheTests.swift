import Convert
import Forward
import Testing

/// Logits of windows that go through a model in parts are those that transformers gives of the whole.
@Suite struct KeyValueCacheTests {
  /// Both take other frequencies in windows longer than 32 tokens.
  private static let changing = ["llama-rope-dynamic", "phi3-longrope"]
  private static let cached = ReferenceVector.names.filter {
    !$0.hasPrefix("mamba") && !changing.contains($0)
  }

  @Test(arguments: cached)
  func partsEqualTheWhole(name: String) throws {
    let vector = try ReferenceVector(name)
    let model = try vector.model()
    let tokens = vector.tokens
    try #require(KeyValueCache.fits(model))
    let cache = KeyValueCache()
    var found: [Float] = []
    for part in [0..<5, 5..<6, 6..<7, 7..<40, 40..<tokens.count] {
      #expect(cache.isValid(of: model, windowLength: part.upperBound))
      found += try ForwardPass(
        model, TokenBatch([tokens[part]]), cache: cache, RunContext(threads: 2)
      ).logits()
      #expect(cache.count == part.upperBound)
    }
    #expect(largestDifference(found, vector.logits) < 1e-4)
  }

  @Test(arguments: changing)
  func changedFrequenciesMakeItInvalid(name: String) throws {
    let vector = try ReferenceVector(name)
    let model = try vector.model()
    let cache = KeyValueCache()
    _ = try ForwardPass(
      model, TokenBatch([vector.tokens.prefix(3)]), cache: cache, RunContext(threads: 1)
    ).logits()
    #expect(cache.isValid(of: model, windowLength: 32))
    #expect(!cache.isValid(of: model, windowLength: 33))
  }

  @Test func stateSpacesHaveNone() throws {
    #expect(try !KeyValueCache.fits(ReferenceVector("mamba").model()))
    #expect(try !KeyValueCache.fits(ReferenceVector("mamba2").model()))
  }
}
