import Formats
import Foundation
import Testing

/// Adapter directories that a test writes: one pair of rank 2 for a layer of 8 inputs, 4 outputs.
private struct AdapterDirectory {
  let folder: TemporaryDirectory
  static let module = "model.layers.0.self_attn.q_proj"
  static let prefix = "base_model.model." + module

  init(
    config: String = #"{"peft_type": "LORA", "r": 2, "lora_alpha": 3}"#,
    tensors: [(String, [Int])] = [
      (prefix + ".lora_A.weight", [2, 8]), (prefix + ".lora_B.weight", [4, 2]),
    ], fill: Float = 1
  ) throws {
    folder = try TemporaryDirectory()
    try folder.write(config, to: "adapter_config.json")
    try write(tensors, fill: fill)
  }

  func write(_ tensors: [(String, [Int])], fill: Float) throws {
    try folder.write(
      safetensors(
        tensors.map { name, shape in
          TestTensor(f32: name, shape, Array(repeating: fill, count: shape.reduce(1, *)))
        }), to: "adapter_model.safetensors")
  }

  func open() throws -> Adapter { try Adapter(path: folder.path) }
  var config: String { folder.path("adapter_config.json") }
  var weights: String { folder.path("adapter_model.safetensors") }
}

@Suite struct AdapterTests {
  private static let a = AdapterDirectory.prefix + ".lora_A.weight"
  private static let b = AdapterDirectory.prefix + ".lora_B.weight"

  @Test func pairHasItsRankAndScaling() throws {
    let adapter = try AdapterDirectory().open()
    let module = try #require(adapter.modules.first)
    #expect(adapter.modules.count == 1 && module.name == AdapterDirectory.module)
    let pair = try #require(module.pair)
    #expect(pair.rank == 2 && pair.alpha == 3 && pair.scaling == 1.5)
    #expect(adapter.parameterCount == 2 * 8 + 4 * 2)
  }

  @Test func rsLoRADividesByTheRootOfTheRank() throws {
    let tensors = [(Self.a, [4, 8]), (Self.b, [4, 4])]
    let directory = try AdapterDirectory(
      config: #"{"peft_type": "LORA", "r": 4, "lora_alpha": 3, "use_rslora": true}"#,
      tensors: tensors)
    #expect(try directory.open().modules.first?.pair?.scaling == 1.5)
  }

  /// What Python's `re.match(r"(.*\.)?(KEY)$", name)` says of each.
  @Test(arguments: [
    ("q_proj", true), ("self_attn.q_proj", true), ("layers.0.self_attn.q_proj", true),
    ("model.layers.0.self_attn.q_proj", true), ("proj", false), ("_proj", false),
    ("layers.1.self_attn.q_proj", false), ("self_attn", false), ("(q|k)_proj", true),
    (#"layers\.\d+\.self_attn\..*"#, true), ("(k|v)_proj", false), ("[qk]_proj", true),
    ("(?:q|k)_proj", true), ("^model.*", true), ("^layers.*", false), ("q_proj$", true),
    (#"layers\.[0-2]\.self_attn\.\w+"#, true), (#"layers\.[^0]\..*"#, false),
    ("k_proj|q_proj", true), ("(.*)+q_proj", true), ("q?k?_?proj", true), ("k?_proj", false),
  ])
  func patternsMatchAsPEFTDoes(key: String, matches: Bool) throws {
    let escaped = key.replacingOccurrences(of: "\\", with: "\\\\")
    let directory = try AdapterDirectory(
      config:
        #"{"peft_type": "LORA", "r": 2, "lora_alpha": 3, "alpha_pattern": {"\#(escaped)": 7}}"#)
    #expect(try directory.open().modules.first?.pair?.alpha == (matches ? 7 : 3))
  }

  @Test(arguments: ["((a+)+)+b", #"(.)\1"#, "a{2}", "(", "a**", "(?=a)", "[", #"\"#, "[b-a]", ")"])
  func patternsOutsideTheLanguageAreRefused(key: String) throws {
    let escaped = key.replacingOccurrences(of: "\\", with: "\\\\")
    let directory = try AdapterDirectory(
      config: #"{"peft_type": "LORA", "r": 2, "rank_pattern": {"\#(escaped)": 2}}"#)
    #expect(throws: AdapterError.hardPattern(path: directory.config, pattern: key)) {
      try directory.open()
    }
  }

  /// A matcher that tries one way after the other would not come back from this.
  @Test func hostilePatternsAreMatchedInBoundedTime() throws {
    let module = String(repeating: "a", count: 200) + ".q_proj"
    let name = "base_model.model." + module
    let directory = try AdapterDirectory(
      config: #"{"peft_type": "LORA", "r": 2, "alpha_pattern": {"(a+)+b": 7, "(.*.*)*c": 5}}"#,
      tensors: [(name + ".lora_A.weight", [2, 8]), (name + ".lora_B.weight", [4, 2])])
    #expect(try directory.open().modules.first?.pair?.alpha == 8)
  }

  @Test func anEmptyAdapterIsRefused() throws {
    let directory = try AdapterDirectory(tensors: [])
    #expect(throws: AdapterError.empty(path: directory.weights)) { try directory.open() }
  }

  @Test(arguments: [
    ("trainable_token_indices", "[1,2]"), ("target_parameters", #"["x"]"#),
    ("layer_replication", "[[0,4]]"), ("alora_invocation_tokens", "[1]"),
    ("kasa_config", #"{"a":1}"#), ("use_bdlora", "true"), ("megatron_config", #"{"a":1}"#),
    ("init_lora_weights", #""pissa""#), ("init_lora_weights", #""olora""#),
  ])
  func variantsThatAreNoUpdateAreRefusedByName(member: String, value: String) throws {
    let directory = try AdapterDirectory(
      config: #"{"peft_type": "LORA", "r": 2, "\#(member)": \#(value)}"#)
    #expect(
      throws: AdapterError.unmergeable(path: directory.config, member: member, value: value)
    ) { try directory.open() }
  }

  /// mlx-lm's names and shapes: both factors are the other way round, and the scale is the factor itself.
  @Test func mlxAdaptersAreRead() throws {
    let folder = try TemporaryDirectory()
    try folder.write(
      #"{"fine_tune_type": "lora", "model": "m", "lora_parameters": {"rank": 2, "scale": 5.5}}"#,
      to: "adapter_config.json")
    let module = AdapterDirectory.module
    try folder.write(
      safetensors([
        TestTensor(f32: module + ".lora_a", [3, 2], [1, 2, 3, 4, 5, 6]),
        TestTensor(f32: module + ".lora_b", [2, 4], [0, 1, 2, 3, 4, 5, 6, 7]),
      ]), to: "adapters.safetensors")
    let adapter = try Adapter(path: folder.path)
    #expect(adapter.config.baseModel == "m" && adapter.modules.map(\.name) == [module])
    let pair = try #require(adapter.modules.first?.pair)
    #expect(pair.rank == 2 && pair.scaling == 5.5 && pair.magnitude == nil)
    #expect(pair.a.dimensions == [2, 3] && pair.b.dimensions == [4, 2])
    #expect(try adapter.values(of: pair.a) == [1, 3, 5, 2, 4, 6])
    #expect(try adapter.values(of: pair.b) == [0, 4, 1, 5, 2, 6, 3, 7])
  }

  @Test(arguments: [
    (#"{"lora_parameters": {"rank": 2, "alpha": 4}}"#, "lora_parameters['scale'] must be a number"),
    (#"{"lora_parameters": {"scale": 4}}"#, "lora_parameters['rank'] must be an integer"),
    (
      #"{"fine_tune_type": "full", "lora_parameters": {"rank": 2, "scale": 4}}"#,
      "'fine_tune_type' is \"full\""
    ),
    (
      #"{"fine_tune_type": "dora", "lora_parameters": {"rank": 2, "scale": 4}}"#,
      "has a DoRA pair but no m"
    ),
    (
      #"{"lora_parameters": {"rank": 3, "scale": 4}}"#, "has rank 2; adapter_config.json gives it 3"
    ),
  ])
  func mlxAdaptersThatDoNotHoldAreRefused(config: String, message: String) throws {
    let folder = try TemporaryDirectory()
    try folder.write(config, to: "adapter_config.json")
    let module = AdapterDirectory.module
    try folder.write(
      safetensors([
        TestTensor(f32: module + ".lora_a", [4, 2], Array(repeating: 1, count: 8)),
        TestTensor(f32: module + ".lora_b", [2, 5], Array(repeating: 1, count: 10)),
      ]), to: "adapters.safetensors")
    let error = #expect(throws: AdapterError.self) { try Adapter(path: folder.path) }
    #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
  }

  /// A stack of experts has a factor for each, which is no pair.
  @Test func mlxAdaptersOfExpertsAreRefused() throws {
    let folder = try TemporaryDirectory()
    try folder.write(
      #"{"lora_parameters": {"rank": 2, "scale": 4}}"#, to: "adapter_config.json")
    let name = "model.layers.0.mlp.switch_mlp.up_proj.lora_"
    try folder.write(
      safetensors([
        TestTensor(f32: name + "a", [2, 2, 3], Array(repeating: 1, count: 12)),
        TestTensor(f32: name + "b", [2, 3, 2], Array(repeating: 1, count: 12)),
      ]), to: "adapters.safetensors")
    #expect(
      throws: AdapterError.wrongShape(
        path: folder.path("adapters.safetensors"), tensor: name + "a", shape: [2, 2, 3],
        expected: "[inputs, rank]")
    ) { try Adapter(path: folder.path) }
  }

  @Test func otherMethodsAndPicklesAreRefusedByName() throws {
    let other = try AdapterDirectory(config: #"{"peft_type": "PREFIX_TUNING"}"#)
    #expect(throws: AdapterError.otherMethod(path: other.config, method: "PREFIX_TUNING")) {
      try other.open()
    }
    let pickled = try AdapterDirectory()
    try FileManager.default.removeItem(atPath: pickled.weights)
    #expect(
      throws: AdapterError.noWeights(
        directory: pickled.folder.path, name: "adapter_model.safetensors")
    ) { try pickled.open() }
    try pickled.folder.write([0x80, 0x02], to: "adapter_model.bin")
    #expect(throws: AdapterError.pickled(path: pickled.folder.path("adapter_model.bin"))) {
      try pickled.open()
    }
    let empty = try TemporaryDirectory()
    #expect(throws: AdapterError.noConfig(directory: empty.path)) {
      try Adapter(path: empty.path)
    }
  }

  @Test(arguments: [
    #"{"peft_type": "LORA", "r": 0}"#, #"{"peft_type": "LORA", "r": 99999999999}"#,
    #"{"peft_type": "LORA", "r": 2, "lora_alpha": "x"}"#, #"{"r": 2}"#, "[]", "{",
    #"{"peft_type": "LORA", "r": 2, "lora_alpha": 1e999}"#,
    #"{"peft_type": "LORA", "r": 2, "rank_pattern": {"q": 2.5}}"#,
    #"{"peft_type": "LORA", "r": 2, "use_dora": 1}"#,
  ])
  func brokenConfigurationsAreErrors(config: String) throws {
    let directory = try AdapterDirectory(config: config)
    #expect(throws: AdapterError.self) { try directory.open() }
  }

  @Test func missingHalvesNameTheModule() throws {
    let directory = try AdapterDirectory(tensors: [(Self.a, [2, 8])])
    #expect(
      throws: AdapterError.missingHalf(
        path: directory.weights, module: AdapterDirectory.module, present: "lora_A.weight",
        missing: "lora_B.weight")
    ) { try directory.open() }
  }

  @Test func wrongRanksAndTransposedHalvesNameTheModule() throws {
    let rank = try AdapterDirectory(tensors: [(Self.a, [3, 8]), (Self.b, [4, 3])])
    #expect(
      throws: AdapterError.wrongRank(
        path: rank.weights, module: AdapterDirectory.module, found: 3, configured: 2)
    ) { try rank.open() }
    let turned = try AdapterDirectory(tensors: [(Self.a, [8, 2]), (Self.b, [4, 2])])
    #expect(
      throws: AdapterError.transposed(
        path: turned.weights, tensor: Self.a, shape: [8, 2], expected: [2, 8])
    ) { try turned.open() }
    let flat = try AdapterDirectory(tensors: [(Self.a, [16]), (Self.b, [4, 2])])
    #expect(
      throws: AdapterError.wrongShape(
        path: flat.weights, tensor: Self.a, shape: [16], expected: "[rank, inputs]")
    ) { try flat.open() }
  }

  @Test(arguments: [
    "base_model.model.q.lora_C.other", "q.lora_A.weight", "x.lora_A.default.weight",
  ])
  func unknownTensorsAreNamed(name: String) throws {
    let directory = try AdapterDirectory(tensors: [(name, [2, 8])])
    #expect(throws: AdapterError.unknownTensor(path: directory.weights, tensor: name)) {
      try directory.open()
    }
  }

  @Test func magnitudesAndTheirFlagGoTogether() throws {
    let dora = AdapterDirectory.prefix + ".lora_magnitude_vector"
    let tensors = [(Self.a, [2, 8]), (Self.b, [4, 2])]
    let unflagged = try AdapterDirectory(tensors: tensors + [(dora, [4])])
    #expect(throws: AdapterError.self) { try unflagged.open() }
    let config = #"{"peft_type": "LORA", "r": 2, "use_dora": true}"#
    let bare = try AdapterDirectory(config: config, tensors: tensors)
    #expect(throws: AdapterError.self) { try bare.open() }
    let wrong = try AdapterDirectory(config: config, tensors: tensors + [(dora, [5])])
    #expect(
      throws: AdapterError.wrongShape(
        path: wrong.weights, tensor: dora, shape: [5], expected: "[4]")
    ) { try wrong.open() }
  }

  @Test func notANumberIsNamedWithItsPlace() throws {
    let directory = try AdapterDirectory(fill: .nan)
    let adapter = try directory.open()
    #expect(
      throws: AdapterError.notFinite(
        path: directory.weights, tensor: Self.a, index: 0, value: "NaN")
    ) { try adapter.checkValues() }
  }

  @Test func checksumIsThatOfTheWholeFile() throws {
    let directory = try AdapterDirectory()
    let expected = XXH64.digest(try contents(of: directory.weights))
    #expect(try directory.open().checkValues() == expected)
  }
}
