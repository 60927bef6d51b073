import Formats
import Testing

@Suite struct ConfigDocumentTests {
  /// Many ask, once for each tensor: a long document must not be gone through each time.
  @Test func itIsReadOnce() {
    let document = ConfigDocument(["model_type": "llama", "hidden_size": 64])
    var count = 0
    for _ in 0..<3 {
      let family = document.reading { json in
        count += 1
        return json["model_type"]?.stringValue
      }
      #expect(family == "llama")
    }
    #expect(count == 1)
  }

  /// Whoever asks for something else gets that.
  @Test func readingsOfOtherKindsAreNotMixedUp() {
    let document = ConfigDocument(["model_type": "llama", "hidden_size": 64])
    for _ in 0..<2 {
      #expect(document.reading { $0["hidden_size"]?.intValue ?? 0 } == 64)
      #expect(document.reading { $0["model_type"]?.stringValue ?? "" } == "llama")
    }
  }
}
