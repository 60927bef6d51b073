import Formats
import Foundation
import Model
import Testing

@testable import Convert

/// Sources, records and adapters that no family has, but that a file may claim.
@Suite struct OddArrangementTests {
  private let folder: TemporaryFolder
  private var options = ConversionOptions()

  private static let stack = "model.layers.0.mlp.switch_mlp.up_proj.weight"

  init() throws {
    folder = try TemporaryFolder()
    options.groupSize = 32
    options.minimumCoverage = 0
  }

  private func write(_ tensors: [TestTensor], config: String, to name: String) throws -> String {
    try folder.makeFolder(name)
    try writeSafetensors(tensors, to: folder.path(name + "/model.safetensors"))
    try folder.write(name + "/config.json", Array(config.utf8))
    return folder.path(name)
  }

  private func write(_ name: String) throws -> String {
    let test = try #require(HandArranged.all.first { $0.name == name })
    return try write(test.source.map(\.test), config: test.config, to: "source")
  }

  private func expert(
    _ index: Int, _ dtype: DType = .bf16, _ shape: [Int] = [64, 32]
  ) -> TestTensor {
    TestTensor(
      "model.layers.0.mlp.experts.\(index).up_proj.weight", dtype, shape,
      bytes: [UInt8](repeating: 0, count: shape.reduce(1, *) * dtype.bitCount / 8))
  }

  /// Three experts `[64, 32]` stand in the record.
  private static let origins: [String: JSONValue] = [
    "a reserved name": ["name": "__metadata__", "shape": [192, 32], "matrix_rows": 64],
    // Rows are read whole.
    "a part of the inputs": [
      "name": "w", "shape": [3, 64, 64], "inputs": ["first": 0, "count": 32],
    ],
    "steps beyond the end": [
      "name": "w", "shape": [3, 64, 32], "outputs": ["first": 0, "count": 64, "step": 65],
    ],
    "65 changes": [
      "name": "w", "shape": [3, 64, 32],
      "changes": .array(.init(repeating: ["add": 1], count: 65)),
    ],
    // Only GGUF files have one.
    "an order of rows": [
      "name": "w", "shape": [3, 64, 32],
      "rows": [["first": 0, "loops": [["count": 64, "step": 1]]]],
    ],
    "no elements": ["prefix": "w", "suffix": "", "count": 3, "shape": [64, 0]],
  ]

  @Test(arguments: origins.keys.sorted())
  func originsThatCannotBeAreMalformed(_ name: String) throws {
    let origin = try #require(Self.origins[name])
    try convert(write("experts one by one"), to: folder.path("packed"), options: options)
    var editor = try PackedEditor(folder.path("packed/model.safetensors"))
    editor.editEntry(Self.stack, "source", "origin", origin)
    try editor.write()
    #expect(throws: ManifestError.self) {
      try unpack(folder.path("packed"), to: folder.path("plain"))
    }
  }

  /// A small file could claim names that fill the memory.
  @Test func longNamesAreNotPutTogether() throws {
    let source = try write(
      [TestTensor("model.norm.weight", .f32, [1024], values: .init(repeating: 1, count: 1024))],
      config: #"{"model_type": "llama"}"#, to: "source")
    try convert(source, to: folder.path("packed"), options: options)
    var editor = try PackedEditor(folder.path("packed/model.safetensors"))
    editor.editEntry(
      "model.norm.weight", "source", "origin",
      [
        "prefix": .string(String(repeating: "n", count: 100_000)), "suffix": "", "count": 1024,
        "shape": [1],
      ])
    try editor.write()
    let error = #expect(throws: PackedError.self) {
      try unpack(folder.path("packed"), to: folder.path("plain"))
    }
    #expect(error?.rule == .origin)
  }

  /// Experts of several types, of no floats, or of nothing stay apart, and can be read again.
  @Test(arguments: [
    [(DType.bf16, [64, 32]), (.f32, [64, 32])], [(.i32, [64, 32]), (.i32, [64, 32])],
    [(.bf16, [64, 0]), (.bf16, [64, 0])], [(.bf16, [1 << 58, 0]), (.bf16, [1 << 58, 0])],
  ]) func expertsThatAreNoStackStayApart(_ experts: [(DType, [Int])]) throws {
    let source = try write(
      experts.enumerated().map { expert($0, $1.0, $1.1) },
      config: #"{"model_type": "qwen3_moe"}"#, to: "source")
    try convert(source, to: folder.path("packed"), options: options)
    #expect(try validate(folder.path("packed"), against: source) == [])
    try unpack(folder.path("packed"), to: folder.path("plain"))
    let plain = try NaiveFile(path: folder.path("plain/model.safetensors")).tensors
    for (index, (dtype, shape)) in experts.enumerated() {
      let found = try #require(plain[expert(index).name])
      #expect(found.type == dtype.rawValue && found.shape == shape)
    }
  }

  /// As many matrices of nothing as a configuration likes.
  @Test func rowsOfNothingAreNotTakenApart() throws {
    let source = try write(
      [
        TestTensor(
          "transformer.blocks.0.ffn.experts.mlp.w1", .bf16, [1_000_000_000, 0], bytes: [])
      ], config: #"{"model_type": "dbrx", "ffn_config": {"moe_num_experts": 1000000000}}"#,
      to: "source")
    let plan = try ConversionPlan(Checkpoint(path: source), options: options)
    #expect(plan.tensors.count == 1)
  }

  /// What cannot be taken back is not done.
  @Test(arguments: ["1e-310", "1e308", "1e-45", "0"]) func absurdFactorsAreIgnored(
    _ factor: String
  ) throws {
    let test = try #require(HandArranged.all.first { $0.name == "factors" })
    let source = try write(
      test.source.map(\.test),
      config: test.config.replacing("0.25", with: factor).replacing("0.5", with: factor),
      to: "source")
    try convert(source, to: folder.path("packed"), options: options)
    #expect(try validate(folder.path("packed"), against: source) == [])
  }

  @Test func weightsThatAFactorMakesInfiniteAreRefused() throws {
    let query = TestTensor(
      "model.layers.0.self_attn.q_proj.weight", .f32, [64, 32],
      values: .init(repeating: 1e10, count: 64 * 32))
    let filter = TestTensor(
      "model.layers.0.mamba.conv1d.weight", .f32, [32, 1, 4],
      values: .init(repeating: 1, count: 128))
    let source = try write(
      [query, filter],
      config: #"{"model_type": "falcon_h1", "attention_in_multiplier": 1e30}"#, to: "source")
    #expect(throws: ConversionError.self) {
      try convert(source, to: folder.path("packed"), options: options)
    }
  }

  /// Packed whole, they hold no expert's rows one after the other.
  @Test func aPackedSourceOfOtherMatricesIsNotReadAsThese() throws {
    let source = try write("experts in rows")
    try convert(source, to: folder.path("packed"), options: options)
    try convert(
      source, to: folder.path("other"), options: options, arrangement: .asStored)
    let findings = try validate(folder.path("packed"), against: folder.path("other"))
    #expect(findings.map(\.rule).contains("source"))
  }

  /// What is cut from packed weights counts as much as was stored of it.
  @Test func partsOfPackedWeightsHaveASize() throws {
    try convert(
      write("gate and up in turn"), to: folder.path("packed"), options: options,
      arrangement: .asStored)
    var again = options
    again.requantizes = true
    let checkpoint = try Checkpoint(path: folder.path("packed"))
    let plan = try ConversionPlan(checkpoint, options: again)
    let stored = checkpoint.tensors.reduce(0) { $0 + $1.info.byteCount }
    #expect(plan.tensors.reduce(0) { $0 + $1.tensor.byteCount } == stored)
  }

  /// An adapter is for weights without the factors that were multiplied into them.
  @Test func pairsAreNotAddedToMultipliedWeights() throws {
    let source = try write("factors")
    try convert(source, to: folder.path("packed"), options: options)
    let module = "model.layers.0.self_attn.q_proj"
    try writeAdapter(
      [
        TestTensor(module + ".lora_A.weight", .f32, [2, 1], values: [1, 1]),
        TestTensor(
          module + ".lora_B.weight", .f32, [64, 2], values: .init(repeating: 1, count: 128)),
      ], to: folder.path("adapter"))
    let request = AdapterRequest(path: folder.path("adapter"))
    let isRefusal = { (error: any Error) -> Bool in
      guard case .cannotCombine(let tensor, _)? = error as? MergeError else { return false }
      return tensor == module + ".weight"
    }
    #expect(
      performing: {
        try merge(
          folder.path("packed"), [request], pooling: .mean, to: folder.path("merged"))
      }, throws: isRefusal)
    let adapters = try AdapterSet([request], pooling: .mean)
    #expect(
      performing: {
        try ConversionPlan(Checkpoint(path: source), options: options, adapters: adapters)
      }, throws: isRefusal)
  }

  /// Final names that a rule for the source's would take again: another layer has experts, or the name
  /// ends like that in the source.
  @Test(
    arguments: [
      (
        "granitemoehybrid",
        [
          ("block_sparse_moe.router.layer.weight", [2, 32]),
          ("block_sparse_moe.input_linear.weight", [2, 128, 32]),
          ("shared_mlp.input_linear.weight", [128, 32]),
        ]
      ),
      ("step3p5", [("share_expert.up_proj.weight", [64, 32])]),
    ] as [(String, [(String, [Int])])])
  func finalNamesStayWhenPackedAgain(_ type: String, _ weights: [(String, [Int])]) throws {
    let source = try write(
      weights.enumerated().map { index, weight in
        NaiveTensor("model.layers.0." + weight.0, weight.1, seed: UInt64(index)).test
      }, config: #"{"model_type": "\#(type)"}"#, to: "source")
    try convert(source, to: folder.path("packed"), options: options)
    var again = options
    again.requantizes = true
    try convert(folder.path("packed"), to: folder.path("again"), options: again)
    let names = try ["packed", "again"].map {
      try Set(NaiveFile(path: folder.path($0 + "/model.safetensors")).tensors.keys)
    }
    #expect(names[0] == names[1])
    try unpack(folder.path("again"), to: folder.path("plain"))
    let plain = try NaiveFile(path: folder.path("plain/model.safetensors")).tensors
    #expect(Set(plain.keys) == Set(weights.map { "model.layers.0." + $0.0 }))
  }

  /// One part was kept in BF16, the other has scales of F16: one type holds both.
  @Test func partsOfSeveralTypesComeBackTogether() throws {
    let source = try write("gate and up in turn")
    var mixed = options
    mixed.keep = [try NamePattern("*.gate_proj")]
    mixed.scaleType = .f16
    try convert(source, to: folder.path("packed"), options: mixed)
    mixed.requantizes = true
    mixed.scaleType = nil
    try convert(folder.path("packed"), to: folder.path("again"), options: mixed)
    for name in ["packed", "again"] {
      try unpack(folder.path(name), to: folder.path(name + "-plain"))
      let plain = try NaiveFile(path: folder.path(name + "-plain/model.safetensors")).tensors
      #expect(plain["model.layers.0.mlp.experts.gate_up_proj"]?.type == "F32")
    }
  }
}
