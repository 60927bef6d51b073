import Formats
import Testing

@Suite struct ManifestTests {
  static func sample() throws -> Manifest {
    let layout = try #require(AffineLayout(bits: 3, groupSize: 64))
    var manifest = Manifest(
      decantVersion: "1.2.3",
      tensors: [
        .init(
          name: "a.weight", layout: .affine(layout), method: "search", sourceDType: .bf16,
          sourceShape: [128, 64], order: .inputMajor,
          stored: [
            .init(name: "a.weight", digest: .init(.blocks, 1)),
            .init(name: "a.scales", digest: .init(.blocks, .max)),
            .init(name: "a.biases", digest: .init(.blocks, 0)),
          ],
          error: .init(squaredNorm: 1024, squaredError: 0.5, largestError: 0), zeroedCount: 3),
        .init(
          name: "n", layout: .plain, sourceDType: .f32, sourceShape: [], order: .outputMajor,
          stored: [.init(name: "n", digest: .init(.blocks, 0xABCD))], error: nil),
      ],
      sources: [
        .init(name: "model.safetensors", byteCount: 1 << 40, digest: .init(.blocks, 5)),
        .init(name: "first.safetensors", byteCount: 7, digest: .init(.whole, 6)),
      ],
      options: ["bits": 3])
    manifest.carried = [.init(name: "a/b.txt", byteCount: 0, digest: .init(.blocks, 8))]
    manifest.output = .init(
      shard: 2, shardCount: 3, digest: .init(.blocks, 9),
      documents: [
        .recorded(.init(name: "config.json", byteCount: 12, digest: .init(.blocks, 10)))
      ])
    return manifest
  }

  @Test func comesThroughAsItWas() throws {
    let manifest = try Self.sample()
    #expect(try Manifest(text: manifest.jsonText, file: "f") == manifest)
  }

  /// The header is planned before anything is measured.
  @Test func theLengthDoesNotDependOnWhatIsMeasured() throws {
    let plain = try Self.sample()
    var measured = plain
    measured.tensors[0].stored[0].digest = .init(.blocks, 0xFEDC_BA98_7654_3210)
    measured.tensors[0].zeroedCount = 1 << 40
    measured.tensors[0].error = .init(
      squaredNorm: 1.234_567_890_123e38, squaredError: 9.999_999_999_99e-39, largestError: 1 / 3)
    measured.sources[0].digest = .init(.blocks, .max)
    measured.output?.digest = .init(.blocks, .max)
    #expect(measured.jsonText != plain.jsonText)
    #expect(measured.jsonText.utf8.count == plain.jsonText.utf8.count)
  }

  private func edited(_ edit: (inout JSONValue) -> Void) throws -> String {
    var json = try Self.sample().json
    edit(&json)
    return json.compactText
  }

  private static func withAdapters() throws -> Manifest {
    var manifest = try sample()
    manifest.adapters = Manifest.Adapters(
      merged: [
        .init(
          name: "tuned", checksum: 7, configChecksum: .max, weight: -0.25,
          modules: [
            .init(
              name: "a", kind: "qalora", rank: 8, alpha: 1.5, scaling: 0.1875, pooling: "mean",
              groupSize: 32),
            .init(name: "a.bias", kind: "replaced"),
          ])
      ], originals: [.init(name: "a.biases", digest: .init(.blocks, 9))])
    return manifest
  }

  @Test func adaptersComeThroughAsTheyWere() throws {
    var manifest = try Self.withAdapters()
    #expect(try Manifest(text: manifest.jsonText, file: "f") == manifest)
    manifest.adapters?.originals = nil
    #expect(try Manifest(text: manifest.jsonText, file: "f") == manifest)
    #expect(try Self.sample().json["adapters"] == nil)
  }

  @Test func foldsComeThroughAsLetters() throws {
    var manifest = try Self.sample()
    manifest.folds = [.init(module: "a.norm", exponents: [-12, -1, 0, 1, 12])]
    #expect(manifest.json["folds"]?.arrayValue?.first?["exponents"]?.stringValue == "almny")
    #expect(try Manifest(text: manifest.jsonText, file: "f") == manifest)
    #expect(try Self.sample().json["folds"] == nil)
  }

  @Test(arguments: [
    "{}", #"[{"module": "a"}]"#, #"[{"module": "a", "exponents": "mz"}]"#,
    #"[{"module": "a", "exponents": "m"}, {"module": "a", "exponents": "m"}]"#,
  ])
  func brokenFoldsAreRefused(record: String) throws {
    let text = try edited { $0["folds"] = try? JSONValue(parsing: Array(record.utf8)) }
    #expect(throws: ManifestError.self) { try Manifest(text: text, file: "f") }
  }

  @Test(arguments: [
    "[]", "{}", #"{"merged": [{}]}"#, #"{"merged": [], "originals": {"a": "xyz"}}"#,
    #"{"merged": [], "originals": []}"#,
  ])
  func brokenRecordsOfAdaptersAreRefused(record: String) throws {
    let text = try edited { $0["adapters"] = try? JSONValue(parsing: Array(record.utf8)) }
    #expect(throws: ManifestError.self) { try Manifest(text: text, file: "f") }
  }

  @Test func aNewerVersionIsRefused() throws {
    let text = try edited { $0["format_version"] = .integer(Manifest.formatVersion + 1) }
    #expect(
      throws: ManifestError.newerVersion(
        file: "f", found: Manifest.formatVersion + 1, known: Manifest.formatVersion)
    ) { try Manifest(text: text, file: "f") }
  }

  @Test func unknownMembersAreIgnored() throws {
    let text = try edited { $0["remark"] = "new" }
    #expect(try Manifest(text: text, file: "f") == Self.sample())
  }

  @Test func textThatIsNoJSONIsRefusedWithItsPlace() {
    #expect(throws: ManifestError.notJSON(file: "f", reason: "the JSON ends early", offset: 1)) {
      try Manifest(text: "{", file: "f")
    }
  }

  @Test(
    arguments: [
      ("format_version", nil, "an integer >= 0"), ("format_version", -1, "an integer >= 0"),
      ("decant_version", nil, "a string"), ("decant_version", 1, "a string"),
      ("tensors", nil, "an object"), ("tensors", [], "an object"), ("sources", [:], "a list"),
    ] as [(String, JSONValue?, String)])
  func aBrokenMemberIsNamed(_ name: String, _ value: JSONValue?, _ expected: String) throws {
    let text = try edited { $0[name] = value }
    #expect(throws: ManifestError.malformed(file: "f", place: name, expected: expected)) {
      try Manifest(text: text, file: "f")
    }
  }

  @Test(
    arguments: [
      ("source", ["dtype": "F128"], ".source.dtype", "a dtype"),
      ("source", ["dtype": "F16", "shape": [-1]], ".source.shape", "a list of unsigned integers"),
      ("source", ["dtype": "F16", "shape": []], ".source.order", "a string"),
      ("source", nil, ".source.dtype", "a string"),
      (
        "source", ["dtype": "F16", "shape": [], "order": "up"], ".source.order",
        "output_major or input_major, not 'up'"
      ),
      ("layout", nil, ".layout.name", "a string"),
      ("layout", ["name": "affine"], ".layout.bits", "an integer >= 0"),
      (
        "layout", ["name": "affine", "bits": 7, "group_size": 64], ".layout",
        "a layout that exists; 7 bits, groups of 64 do not"
      ),
      ("method", nil, ".method", "a string"),
      (
        "stored", ["a.weight": "0000000000000000"], ".stored",
        "the checksums of a.weight, a.scales, a.biases"
      ),
      (
        "stored",
        [
          "a.weight": "0000000000000000", "b.scales": "0000000000000000",
          "a.biases": "0000000000000000",
        ], ".stored['a.scales']", "16 hexadecimal digits"
      ),
      (
        "stored", ["a.scales": "0000000000000000", "a.weight": "123", "a.biases": "0"],
        ".stored['a.weight']", "16 hexadecimal digits"
      ),
      ("error", [:], ".error.squared_norm", "a number >= 0"),
      ("zeroed", nil, ".zeroed", "an integer >= 0"), ("zeroed", -1, ".zeroed", "an integer >= 0"),
    ] as [(String, JSONValue?, String, String)])
  func aBrokenTensorIsNamed(
    _ member: String, _ value: JSONValue?, _ place: String, _ expected: String
  ) throws {
    let text = try edited { $0["tensors"]?["a.weight"]?[member] = value }
    let error = ManifestError.malformed(
      file: "f", place: "tensors['a.weight']" + place, expected: expected)
    #expect(throws: error) { try Manifest(text: text, file: "f") }
  }

  @Test func anUnknownLayoutIsNamedWithThoseThatAreKnown() throws {
    let text = try edited { $0["tensors"]?["a.weight"]?["layout"] = ["name": "ternary"] }
    let error = ManifestError.unknownLayout(
      file: "f", tensor: "a.weight", name: "ternary", known: ["affine", "plain"])
    #expect(throws: error) { try Manifest(text: text, file: "f") }
    #expect(
      error.message
        == "f: tensor 'a.weight' has the layout 'ternary'; this decant knows affine, plain")
  }

  /// What version 2 replaced is no part of it.
  @Test(
    arguments: [
      ("carried", nil, "carried", "a list"),
      (
        "carried", [["file": "a", "byte_count": 0, "xxh64": "0000000000000000"]],
        "carried[0].digest", "16 hexadecimal digits"
      ),
      ("sources", [["file": "a", "byte_count": 0]], "sources[0].digest", "16 hexadecimal digits"),
      (
        "output", ["shard": 1, "shards": 1, "xxh64": "0000000000000000", "documents": []],
        "output.digest", "16 hexadecimal digits"
      ),
      (
        "output",
        ["shard": 1, "shards": 1, "digest": "0000000000000000", "documents": ["config.json"]],
        "output.documents[0].file", "a string"
      ),
    ] as [(String, JSONValue?, String, String)])
  func aBrokenRecordIsNamed(
    _ member: String, _ value: JSONValue?, _ place: String, _ expected: String
  ) throws {
    let text = try edited { $0[member] = value }
    let error = ManifestError.malformed(file: "f", place: place, expected: expected)
    #expect(throws: error) { try Manifest(text: text, file: "f") }
  }

  @Test func packedNamesFollowTheModule() {
    let names = Manifest.Entry.packedNames(of: "m.q_proj.weight")
    #expect(names == ("m.q_proj.weight", "m.q_proj.scales", "m.q_proj.biases"))
    let stack = Manifest.Entry.packedNames(of: "m.experts.gate_up_proj")
    #expect(stack.weight == "m.experts.gate_up_proj.weight")
    #expect(stack.biases == "m.experts.gate_up_proj.biases")
  }
}
