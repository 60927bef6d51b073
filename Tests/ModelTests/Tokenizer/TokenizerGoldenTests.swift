import Formats
import Model
import Testing

/// What the library gave for the same texts and ids, id by id and byte by byte.
@Suite struct TokenizerGoldenTests {
  @Test func thereAreAllSets() {
    #expect(TokenizerSet.all.count == 46)
  }

  @Test(arguments: TokenizerSet.all)
  func idsAreTheLibrarys(_ set: TokenizerSet) throws {
    let tokenizer = try set.tokenizer()
    let cases = try #require(try set.json("golden.json")["cases"]?.arrayValue)
    #expect(cases.count >= 259)
    var cache = PieceCache()
    // Without optimization, a part of them.
    #if DEBUG
      let step = 4
    #else
      let step = 1
    #endif
    for index in stride(from: 0, to: cases.count, by: step) {
      let item = cases[index]
      let text = try #require(item["text"]?.stringValue)
      let bytes = Array(text.utf8)
      for (member, addSpecialTokens) in [("ids", false), ("ids_special", true)] {
        let ids = try tokenizer.encode(
          bytes.span, addSpecialTokens: addSpecialTokens, cache: &cache)
        let expected = item[member]?.arrayValue?.compactMap(\.intValue)
        guard ids.map(Int.init) != expected else { continue }
        Issue.record("\(member) of \(item["text"] ?? .null): \(ids), not \(expected ?? [])")
      }
    }
  }

  @Test(arguments: TokenizerSet.all)
  func textsAreTheLibrarys(_ set: TokenizerSet) throws {
    let tokenizer = try set.tokenizer()
    let cases = try #require(try set.json("decoded.json").arrayValue)
    #expect(cases.count >= 25)
    for item in cases {
      let parts = try #require(item.arrayValue)
      let ids = try #require(parts[0].arrayValue).compactMap(\.intValue).map { Int32($0) }
      for skips in [false, true] {
        let bytes = try tokenizer.decode(ids, skippingSpecialTokens: skips)
        let expected = try #require(parts[skips ? 2 : 1].stringValue)
        #expect(bytes == Array(expected.utf8), "\(ids)")
      }
    }
  }

  @Test(arguments: [("llama3", 835), ("added_token_ids_wrong", 834), ("t5_unigram", 603)])
  func theVocabularyHasItsSize(_ name: String, _ size: Int) throws {
    #expect(try TokenizerSet(name: name).tokenizer().vocabularySize == size)
  }
}
