import Formats
import Testing

/// Manifests of version 1.
@Suite struct FirstManifestTests {
  private static let text = """
    {
      "format_version": 1, "decant_version": "0.1.0",
      "tensors": {
        "a.weight": {
          "encoding": "affine", "bits": 3, "group_size": 64, "method": "search", "transposed": true,
          "source_dtype": "BF16", "source_shape": [128, 64],
          "xxh64": {
            "a.scales": "ffffffffffffffff", "a.weight": "0000000000000001",
            "a.biases": "0000000000000000"
          },
          "error": {"squared_norm": 1024, "squared_error": 0.5, "largest_error": 0}
        },
        "n": {
          "encoding": "raw", "source_dtype": "F32", "source_shape": [],
          "xxh64": {"n": "000000000000abcd"}
        }
      },
      "sources": [{"file": "model.safetensors", "byte_count": 12, "xxh64": "0000000000000005"}],
      "options": {"bits": 3},
      "adapters": {"merged": [], "originals": {"a.biases": "0000000000000009"}},
      "output": {
        "shard": 1, "shards": 1, "xxh64": "000000000000000a", "documents": ["config.json"]
      }
    }
    """

  @Test func isReadAsWhatItMeans() throws {
    let layout = try #require(AffineLayout(bits: 3, groupSize: 64))
    var expected = Manifest(
      decantVersion: "0.1.0",
      tensors: [
        .init(
          name: "a.weight", layout: .affine(layout), method: "search", sourceDType: .bf16,
          sourceShape: [128, 64], order: .inputMajor,
          stored: [
            .init(name: "a.weight", digest: .init(.whole, 1)),
            .init(name: "a.scales", digest: .init(.whole, .max)),
            .init(name: "a.biases", digest: .init(.whole, 0)),
          ],
          error: .init(squaredNorm: 1024, squaredError: 0.5, largestError: 0)),
        .init(
          name: "n", layout: .plain, sourceDType: .f32, sourceShape: [], order: .outputMajor,
          stored: [.init(name: "n", digest: .init(.whole, 0xABCD))], error: nil),
      ],
      sources: [.init(name: "model.safetensors", byteCount: 12, digest: .init(.whole, 5))],
      options: ["bits": 3],
      adapters: .init(merged: [], originals: [.init(name: "a.biases", digest: .init(.whole, 9))]))
    expected.version = 1
    expected.output = .init(
      shard: 1, shardCount: 1, digest: .init(.whole, 10), documents: [.named("config.json")])
    #expect(try Manifest(text: Self.text, file: "f") == expected)
  }

  private func edited(_ edit: (inout JSONValue) -> Void) throws -> String {
    var json = try JSONValue(parsing: Array(Self.text.utf8))
    edit(&json)
    return json.compactText
  }

  @Test(
    arguments: [
      ("source_dtype", "F128", ".source_dtype", "a dtype"),
      ("source_shape", [-1], ".source_shape", "a list of unsigned integers"),
      ("encoding", "zip", ".encoding", "raw or affine, not 'zip'"),
      ("encoding", nil, ".encoding", "a string"),
      ("bits", 7, "", "a layout that exists; 7 bits, groups of 64 do not"),
      ("method", nil, ".method", "a string"),
      (
        "xxh64", ["a.weight": "0000000000000000"], ".xxh64",
        "the checksums of a.weight, a.scales, a.biases"
      ),
      ("transposed", "yes", ".transposed", "true or false"),
      ("error", [:], ".error.squared_norm", "a number >= 0"),
    ] as [(String, JSONValue?, String, String)])
  func aBrokenTensorIsNamed(
    _ member: String, _ value: JSONValue?, _ place: String, _ expected: String
  ) throws {
    let text = try edited { $0["tensors"]?["a.weight"]?[member] = value }
    let error = ManifestError.malformed(
      file: "f", place: "tensors['a.weight']" + place, expected: expected)
    #expect(throws: error) { try Manifest(text: text, file: "f") }
  }

  @Test(
    arguments: [
      ("sources", [["file": "a", "byte_count": 0]], "sources[0].xxh64", "16 hexadecimal digits"),
      ("carried", [:], "carried", "a list"),
      ("output", ["shard": 1, "shards": 1], "output.xxh64", "16 hexadecimal digits"),
    ] as [(String, JSONValue?, String, String)])
  func aBrokenRecordIsNamed(
    _ member: String, _ value: JSONValue?, _ place: String, _ expected: String
  ) throws {
    let text = try edited { $0[member] = value }
    let error = ManifestError.malformed(file: "f", place: place, expected: expected)
    #expect(throws: error) { try Manifest(text: text, file: "f") }
  }
}
