import Formats
import Stats
import Testing

@Suite struct XXH64Tests {
  @Test(arguments: [
    ("", "ef46db3751d8e999"), ("a", "d24ec4f1a98c6e5b"), ("abc", "44bc2cf5ad770999"),
  ])
  func knownTextsHaveTheirKnownChecksum(_ text: String, _ checksum: String) {
    #expect(XXH64.digest(Array(text.utf8)).hexDigits == checksum)
  }

  @Test func piecesGiveTheChecksumOfTheWhole() {
    let seed: UInt64 = 20_260_101
    var random = SplitMix64(seed: seed)
    for length in 0..<200 {
      let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
      var hash = XXH64()
      var start = 0
      while start < length {
        let end = Int.random(in: start...length, using: &random)
        hash.update(bytes, start..<end)
        start = end
      }
      #expect(hash.value == XXH64.digest(bytes), "length \(length), seed \(seed)")
    }
  }

  @Test func everyByteCounts() {
    let bytes = [UInt8](repeating: 0, count: 100)
    let whole = XXH64.digest(bytes)
    for index in bytes.indices {
      var changed = bytes
      changed[index] = 1
      #expect(XXH64.digest(changed) != whole, "byte \(index)")
    }
  }

  @Test func digitsAreSixteenAndLowerCase() {
    #expect(UInt64(0xAB).hexDigits == "00000000000000ab")
    #expect(UInt64(hexDigits: "00000000000000ab") == 0xAB)
    #expect(UInt64(hexDigits: "ffffffffffffffff") == .max)
    for text in ["ab", "00000000000000AB", "+0000000000000ab", "000000000000000g", ""] {
      #expect(UInt64(hexDigits: text) == nil, "\(text)")
    }
  }
}
