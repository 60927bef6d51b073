import Formats
import Foundation
import Testing

@testable import Convert

@Suite struct BitPlannerTests {
  private let plan: ConversionPlan
  private let candidates: [TensorCandidates]
  private let planner: BitPlanner

  init() throws {
    (plan, candidates) = try SampleModel.measured.get()
    planner = try SampleModel.planner()
  }

  private var keptByteCount: Int {
    plan.tensors.filter { $0.standing == .keptOnPurpose }
      .reduce(0) { $0 + $1.tensor.byteCount }
  }

  private var totalWeight: Double { candidates.reduce(0) { $0 + $1.weight } }

  /// Bytes and error of a choice for every tensor, added up anew.
  private func totals(
    _ layouts: (TensorCandidates) -> AffineLayout?
  ) throws -> (bytes: Int, error: Double) {
    var (bytes, error) = (keptByteCount, 0.0)
    for tensor in candidates {
      let layout = layouts(tensor)
      let candidate = try #require(tensor.candidates.first { $0.layout == layout })
      bytes += candidate.byteCount
      error += tensor.weight * candidate.relativeError
    }
    return (bytes, error / totalWeight)
  }

  private func isClose(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 1e-12 * abs(b) }

  @Test(arguments: [3.5, 4.25, 5, 6.7]) func bitsPerWeightAreMetAndUsedUp(_ target: Double) throws {
    let result = try planner.plan(.bitsPerWeight(target))
    #expect(result.choices.map(\.name) == candidates.map(\.name))
    let layouts = Dictionary(uniqueKeysWithValues: result.choices.map { ($0.name, $0.layout) })
    let (bytes, error) = try totals { layouts[$0.name] ?? nil }
    #expect(result.totals.tensorByteCount == bytes)
    #expect(isClose(result.totals.loss, error))
    let weightCount = plan.tensors.reduce(0) { $0 + $1.tensor.elementCount }
    #expect(isClose(result.totals.bitsPerWeight, 8 * Double(bytes) / Double(weightCount)))
    #expect(result.totals.bitsPerWeight <= target)
    for choice in result.choices {
      for other in choice.alternatives where other.relativeError < choice.relativeError {
        let more = 8 * Double(bytes - choice.byteCount + other.byteCount) / Double(weightCount)
        #expect(more > target, "\(choice.name) could have \(other.layout)")
      }
    }
    #expect(result.totals.optimalityGap >= 0)
    #expect(result.totals.optimalityGap < 1e-3)
  }

  @Test func noUniformPlanThatFitsIsBetter() throws {
    for bits in [3, 4, 6, 8] {
      for group in [32, 128] {
        let layout = AffineLayout(bits: bits, groupSize: group)
        let (bytes, error) = try totals { _ in layout }
        let budget = 8 * Double(bytes) / Double(plan.weightCount)
        let result = try planner.plan(.bitsPerWeight(budget))
        #expect(result.totals.tensorByteCount <= bytes)
        #expect(result.totals.loss <= error)
        let uniform = try #require(result.uniform.first { $0.layout == layout })
        #expect(uniform.tensorByteCount == bytes)
        #expect(isClose(uniform.loss, error))
      }
    }
  }

  @Test func theCurveFallsFromTheSmallestToTheMostExact() throws {
    let curve = try planner.plan(.bitsPerWeight(4)).curve
    let smallest = try totals { $0.candidates.min { $0.byteCount < $1.byteCount }?.layout }
    let best = try totals { $0.candidates.min { $0.relativeError < $1.relativeError }?.layout }
    #expect(curve.first?.tensorByteCount == smallest.bytes)
    #expect(curve.last?.tensorByteCount == best.bytes)
    #expect(isClose(try #require(curve.first).loss, smallest.error))
    #expect(abs(try #require(curve.last).loss / best.error - 1) < 1e-6)
    for (point, next) in zip(curve, curve.dropFirst()) {
      #expect(point.tensorByteCount < next.tensorByteCount)
      #expect(point.loss > next.loss)
    }
  }

  @Test(arguments: [Budget.relativeError(0.004), .relativeError(0.02), .sqnr(20), .sqnr(33.3)])
  func anErrorIsKeptToWithTheFewestBytes(_ budget: Budget) throws {
    guard case .relativeError(let allowed) = budget else {
      Issue.record("no budget of error")
      return
    }
    let result = try planner.plan(budget)
    #expect(result.totals.loss <= allowed)
    // With a byte less, the least error is too large.
    let less = 8 * (Double(result.totals.tensorByteCount) - 0.5) / Double(plan.weightCount)
    let smaller = try planner.plan(.bitsPerWeight(less))
    #expect(smaller.totals.tensorByteCount < result.totals.tensorByteCount)
    #expect(smaller.totals.loss > allowed)
  }

  @Test func decibelsAreTheLogarithmOfTheError() throws {
    for (decibels, error) in [(20.0, 0.01), (30, 0.001), (0, 1)] {
      guard case .relativeError(let allowed) = Budget.sqnr(decibels) else {
        Issue.record("no budget of error")
        return
      }
      #expect(isClose(allowed, error))
    }
  }

  /// The sample with only some of the widths, so that the ends are others.
  private func planner(bits: [Int]) throws -> BitPlanner {
    try BitPlanner(
      plan,
      candidates.map { tensor in
        tensor.with(candidates: tensor.candidates.filter { bits.contains($0.layout.bits) })
      }, ties: [], record: SampleModel.record)
  }

  @Test(arguments: [[3, 4], [4], [6], [8]])
  func impossibleBitsPerWeightNameTheEnds(_ bits: [Int]) throws {
    let planner = try planner(bits: bits)
    let smallest = try totals { _ in AffineLayout(bits: bits[0], groupSize: 128) }.bytes
    let largest = try totals { _ in AffineLayout(bits: bits.last!, groupSize: 32) }.bytes
    #expect {
      try planner.plan(.bitsPerWeight(3))
    } throws: { error in
      guard
        case AllocationError.tooSmall("3.0 bits per weight", let least, let most)? =
          error as? AllocationError, let least = Double(least), let most = Double(most)
      else { return false }
      // What is named as possible must be.
      let ends = try [least, most].map { try planner.plan(.bitsPerWeight($0)) }
      return ends.map(\.totals.tensorByteCount) == [smallest, largest]
        && most < 8 * Double(largest) / Double(plan.weightCount) + 1e-4
    }
  }

  @Test func impossibleSizesNameTheEnds() throws {
    #expect {
      try planner.plan(.size(1000))
    } throws: { error in
      guard
        case AllocationError.tooSmall("1000 bytes", let least, let most)? =
          error as? AllocationError, let least = Int(least.split(separator: " ")[0]),
        let most = Int(most.split(separator: " ")[0])
      else { return false }
      let smallest = try planner.plan(.size(least))
      #expect(try planner.outputByteCount(smallest) == least)
      #expect(throws: AllocationError.self) { try planner.plan(.size(least - 1)) }
      let largest = try planner.plan(.size(most))
      #expect(try planner.outputByteCount(largest) == most)
      return largest.choices.allSatisfy { $0.layout?.bits == 8 }
    }
  }

  @Test(arguments: [[3, 4], [4], [6], [8]]) func impossibleErrorsNameTheLeast(
    _ bits: [Int]
  ) throws {
    let planner = try planner(bits: bits)
    #expect {
      try planner.plan(.relativeError(1e-9))
    } throws: { error in
      guard
        case AllocationError.tooExact(1e-9, let least, .relativeError)? = error as? AllocationError
      else {
        return false
      }
      let named = try planner.plan(.relativeError(least))
      return named.totals.loss <= least
    }
  }

  @Test func withoutCandidatesThereIsNoPlan() throws {
    #expect(throws: AllocationError.nothingToPlan(path: SampleModel.path)) {
      try BitPlanner(plan, [], ties: [], record: SampleModel.record)
    }
  }

  @Test func theSamePlanComesOutEveryTime() throws {
    var options = SampleModel.candidateOptions
    options.sampleSize = 1 << 14
    options.bits = [3, 4]
    let texts = try [1, 2, 7, 2].map { threads in
      let plan = try SampleModel.plan(options)
      let planner = try BitPlanner(
        plan, SampleModel.candidates(plan, options, threads: threads), ties: [.qkv],
        record: SampleModel.record)
      return try planner.plan(.bitsPerWeight(4.25)).json(predictedByteCount: nil).prettyText
    }
    #expect(Set(texts).count == 1)
  }
}
