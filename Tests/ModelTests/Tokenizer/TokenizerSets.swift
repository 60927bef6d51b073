import Formats
import Foundation
import Model
import TestSupport
import Testing

/// One tokenizer of the fixtures: a `tokenizer.json` and what the library made of texts with it.
struct TokenizerSet: Sendable, CustomTestStringConvertible {
  let name: String

  var testDescription: String { name }

  private static let folder = SharedFixture.path("tokenizers")

  static let all: [TokenizerSet] = {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter { !$0.contains(".") }.sorted().map(TokenizerSet.init)
  }()

  var path: String { Self.folder + "/" + name }

  func tokenizer() throws -> Tokenizer { try Tokenizer(path: path) }

  func bytes(_ file: String) throws -> [UInt8] { try contents(of: path + "/" + file) }

  func json(_ file: String) throws -> JSONValue { try JSONValue(parsing: try bytes(file)) }

  static func unicodeClasses() throws -> JSONValue? {
    try JSONValue(parsing: contents(of: folder + "/unicode.json"))["classes"]
  }
}

/// A `tokenizer.json` in miniature, by its members.
struct TinyTokenizer {
  var members = [
    "version": #""1.0""#,
    "model": #"{"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2, "▁": 3}, "merges": ["a b"]}"#,
  ]

  init(_ changes: [String: String] = [:]) { members.merge(changes) { $1 } }

  var bytes: [UInt8] {
    let text = members.sorted { $0.key < $1.key }.map { "\"\($0.key)\": \($0.value)" }
    return Array("{\(text.joined(separator: ", "))}".utf8)
  }

  func tokenizer() throws(TokenizerError) -> Tokenizer {
    try Tokenizer(parsing: bytes, path: "t.json")
  }
}

extension Tokenizer {
  func ids(_ text: String, addSpecialTokens: Bool = false) throws(TokenizerError) -> [Int32] {
    var cache = PieceCache()
    let bytes = Array(text.utf8)
    return try encode(bytes.span, addSpecialTokens: addSpecialTokens, cache: &cache)
  }
}
