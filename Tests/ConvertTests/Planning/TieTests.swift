import Formats
import Foundation
import Model
import Testing

@testable import Convert

@Suite struct TieTests {
  /// The candidates of the sample, with the errors of some roles multiplied.
  private static func planner(
    ties: Set<Tie>, factors: [TensorRole: Double]
  ) throws -> BitPlanner {
    let (plan, candidates) = try SampleModel.measured.get()
    return try BitPlanner(
      plan, candidates.map { $0.scaled(by: factors[$0.identity.role] ?? 1) }, ties: ties,
      record: SampleModel.record)
  }

  private static func layouts(_ plan: BitPlan, _ role: TensorRole) -> [AffineLayout?] {
    plan.choices.filter { $0.role == role.rawValue }.map(\.layout)
  }

  /// Nothing is to be gained in a tensor without errors, so it has the smallest layout unless tied.
  @Test func withoutTiesEveryTensorHasItsOwnWidth() throws {
    let planner = try Self.planner(
      ties: [], factors: [.attnQ: 100, .attnK: 0, .mlpGate: 100, .mlpUp: 0])
    let plan = try planner.plan(.bitsPerWeight(5))
    let smallest = AffineLayout(bits: 3, groupSize: 128)
    for role in [TensorRole.attnK, .mlpUp] {
      #expect(Self.layouts(plan, role).allSatisfy { $0 == smallest }, "\(role)")
    }
    for role in [TensorRole.attnQ, .mlpGate] {
      #expect(Self.layouts(plan, role).allSatisfy { $0 != smallest }, "\(role)")
    }
  }

  @Test func tiedTensorsShareALayout() throws {
    let factors: [TensorRole: Double] = [.attnQ: 100, .attnK: 0, .mlpGate: 100, .mlpUp: 0]
    let both = try Self.planner(ties: [.qkv, .gateUp], factors: factors)
      .plan(.bitsPerWeight(4.6))
    #expect(Self.layouts(both, .attnQ) == Self.layouts(both, .attnK))
    #expect(Self.layouts(both, .attnQ) == Self.layouts(both, .attnV))
    #expect(Self.layouts(both, .mlpGate) == Self.layouts(both, .mlpUp))
    let one = try Self.planner(ties: [.qkv], factors: factors).plan(.bitsPerWeight(4.6))
    #expect(Self.layouts(one, .attnQ) == Self.layouts(one, .attnK))
    #expect(Self.layouts(one, .mlpGate) != Self.layouts(one, .mlpUp))
    let free = try Self.planner(ties: [], factors: factors).plan(.bitsPerWeight(4.6))
    #expect(free.totals.loss <= one.totals.loss)
    #expect(one.totals.loss <= both.totals.loss)
  }

  @Test func tiesThatOverridesPullApartAreAnError() throws {
    var options = SampleModel.candidateOptions
    options.overrides = [try .init(parsing: "*.layers.1.*.k_proj=8")]
    options.bits = [3, 4]
    let plan = try SampleModel.plan(options)
    let candidates = try SampleModel.candidates(plan, options)
    #expect(
      throws: AllocationError.tieWithoutCommonLayout(
        tensors: ["k_proj", "q_proj", "v_proj"].map { "model.layers.1.self_attn.\($0).weight" })
    ) { try BitPlanner(plan, candidates, ties: [.qkv], record: SampleModel.record) }
  }

  @Test func theExpertsOfABlockAlwaysShare() throws {
    let folder = try TemporaryFolder()
    var tensors = [TestTensor(random: "lm_head.weight", .bf16, [256, 64], seed: 1)]
    for layer in 0..<2 {
      for expert in 0..<3 {
        for (name, shape) in [("gate", [32, 64]), ("up", [32, 64]), ("down", [64, 32])] {
          tensors.append(
            TestTensor(
              random: "model.layers.\(layer).mlp.experts.\(expert).\(name)_proj.weight", .bf16,
              shape, seed: UInt64(tensors.count)))
        }
      }
    }
    try writeSafetensors(tensors, to: folder.path + "/model.safetensors")
    try folder.write(
      "config.json", Array(#"{"model_type": "qwen3_moe", "num_experts": 3}"#.utf8))
    var options = ConversionOptions()
    options.groupSize = 128
    let plan = try ConversionPlan(
      Checkpoint(path: folder.path), options: options, arrangement: .asStored)
    // Expert 0 is delicate, the others lose nothing; so is block 1 as a whole.
    let candidates = try SampleModel.candidates(plan).map { tensor in
      tensor.scaled(by: tensor.identity.expert == 0 ? (tensor.identity.layer == 1 ? 900 : 1) : 0)
    }
    #expect(candidates.count == 19)
    let result = try BitPlanner(plan, candidates, ties: [], record: SampleModel.record)
      .plan(.bitsPerWeight(5))
    var shared: [String: Set<AffineLayout?>] = [:]
    for choice in result.choices where choice.layer != nil {
      shared["\(choice.layer!) \(choice.role)", default: []].insert(choice.layout)
    }
    #expect(shared.count == 6)
    #expect(shared.values.allSatisfy { $0.count == 1 })
    #expect(Set(shared.values).count > 1)
  }
}

extension TensorCandidates {
  /// With errors of another size.
  fileprivate func scaled(by factor: Double) -> TensorCandidates {
    with(
      candidates: candidates.map {
        Candidate(
          layout: $0.layout, byteCount: $0.byteCount, relativeError: $0.relativeError * factor,
          samplingError: $0.samplingError)
      })
  }
}
