import Formats
import Testing

@testable import Convert

/// What errors cost where it was measured.
@Suite struct ErrorCostTests {
  private static func point(_ bits: Int, _ error: Double, _ nats: Double) -> Sensitivity.Point {
    .init(layout: AffineLayout(bits: bits, groupSize: 64)!, relativeError: error, divergence: nats)
  }

  /// 2 nats for a unit of error at 1/16, 8 at 1/4: 4 and a bit between them.
  private let loss = MeasuredLoss(
    [point(4, 1 / 1024, 1 / 512), point(2, 0.25, 2), point(3, 1 / 16, 0.125)].map(\.loss))

  @Test func goesThroughWhatWasMeasured() {
    #expect(loss.points.map(\.bits) == [4, 3, 2])
    for point in loss.points {
      #expect(abs(loss.divergence(at: point.relativeError) - point.divergence) < 1e-12)
    }
  }

  @Test func liesBetweenBeyondAndAtNothing() {
    // Halfway in the logarithm of the error: halfway in what a unit of it costs.
    #expect(abs(loss.divergence(at: 0.125) - 5 * 0.125) < 1e-12)
    #expect(abs(loss.divergence(at: 1 / 128.0) - 2 / 128.0) < 1e-12)
    // Beyond: as at the end.
    #expect(abs(loss.divergence(at: 1e-6) - 2e-6) < 1e-18)
    #expect(abs(loss.divergence(at: 0.5) - 4) < 1e-12)
    #expect(loss.divergence(at: 0) == 0)
  }

  /// A tensor of zeros loses nothing at any width.
  @Test func nothingLostCostsNothing() {
    let zeros = MeasuredLoss([Self.point(2, 0, 0), Self.point(4, 0, 0)].map(\.loss))
    #expect(zeros.divergence(at: 0) == 0 && zeros.divergence(at: 0.5) == 0)
    #expect(ErrorCost.measured(zeros).text == nil)
    #expect(ErrorCost.share(0.5).loss(of: 0.25) == 0.125)
  }

  /// What the plan counts is the sum of the tensors' divergences, and it says so.
  @Test func aPlanAddsDivergencesUp() throws {
    let plan = try SampleModel.plan()
    let names = plan.tensors.filter { if case .quantize = $0.action { true } else { false } }
      .map(\.name)
    // The first tensor costs a thousand times as much as the others.
    let points = names.enumerated().map { index, name in
      (name, [Self.point(3, 0.01, index == 0 ? 1 : 0.001)])
    }
    let sensitivity = Sensitivity(
      tokenCount: 8, tensors: Dictionary(points, uniquingKeysWith: { first, _ in first }))
    let measured = try CandidateMeasurement(
      plan, options: SampleModel.candidateOptions, sensitivity: sensitivity
    ).run(RunContext(threads: 2))
    let planner = try BitPlanner(plan, measured, ties: [], record: SampleModel.record)
    let found = try planner.plan(.bitsPerWeight(4.5))
    #expect(found.measure == .divergence)
    let sum = found.choices.reduce(0) { sum, choice in
      sum + choice.relativeError * (choice.name == names[0] ? 100 : 0.1)
    }
    #expect(abs(found.totals.loss - sum) <= 1e-12 * sum)
    #expect(found.choices.first { $0.name == names[0] }?.layout?.bits == 8)
    #expect(found.choices[0].reason.contains("KL alone: "))
    let bounded = try planner.plan(.divergence(2 * sum))
    #expect(bounded.totals.loss <= 2 * sum)
    #expect(bounded.totals.tensorByteCount < found.totals.tensorByteCount)
    #expect(throws: AllocationError.otherMeasure(.relativeError)) {
      _ = try planner.plan(.relativeError(0.01))
    }
    // A plan that is read says the same.
    let folder = try TemporaryFolder()
    try folder.write(found.json(predictedByteCount: nil).prettyText, to: "plan.json")
    let read = try BitPlan(path: folder.path("plan.json"))
    #expect(read.measure == .divergence && read.totals == found.totals)
    #expect(read.choices.map(\.divergence) == found.choices.map(\.divergence))
  }

  @Test func aTensorThatWasNotMeasuredIsNamed() throws {
    let plan = try SampleModel.plan()
    let error = #expect(throws: AllocationError.self) {
      _ = try CandidateMeasurement(
        plan, options: SampleModel.candidateOptions,
        sensitivity: Sensitivity(tokenCount: 1, tensors: [:])
      ).run(RunContext(threads: 1))
    }
    #expect(error?.message.contains("no sensitivity") == true)
  }
}
