import Formats
import Foundation
import Model

/// Chooses among measured candidates.
package struct BitPlanner {
  private let plan: ConversionPlan
  private let tensors: [TensorCandidates]
  private let units: [Unit]
  private let knapsack: Knapsack
  private let record: Record
  private let sources: [BitPlan.Input]
  /// Divergences where those of all tensors are known.
  private let measure: LossMeasure

  /// What a plan says of how it came about.
  package struct Record: Sendable {
    package let request: JSONValue
    package let dumps: [BitPlan.Input]
    package let settings: [JSONValue.Member]

    package init(
      request: JSONValue, dumps: [BitPlan.Input], settings: [JSONValue.Member] = []
    ) {
      self.request = request
      self.dumps = dumps
      self.settings = settings
    }
  }

  /// Tensors that share a layout, and the layouts they may share.
  private struct Unit {
    /// Indices into `tensors`.
    let members: [Int]
    let layouts: [AffineLayout]
  }

  /// - Parameters:
  ///   - plan: the conversion that the widths are for; its own are not used.
  ///   - tensors: candidates of all tensors that it quantizes.
  /// - Throws: `AllocationError` where nothing can be chosen.
  package init(
    _ plan: ConversionPlan, _ tensors: [TensorCandidates], ties: Set<Tie>, record: Record
  ) throws {
    guard !tensors.isEmpty else {
      throw AllocationError.nothingToPlan(path: plan.checkpoint.path)
    }
    self.plan = plan
    self.tensors = tensors
    self.record = record
    sources = BitPlan.Input.headers(of: plan.checkpoint)
    let units = try Self.units(tensors, ties: ties)
    self.units = units
    measure = tensors.allSatisfy(\.cost.isMeasured) ? .divergence : .relativeError
    knapsack = Knapsack(
      units.map { unit in
        unit.layouts.map { layout in
          unit.members.reduce(Knapsack.Option(cost: 0, loss: 0)) { total, member in
            let candidate = tensors[member].candidate(layout)!
            return Knapsack.Option(
              cost: total.cost + candidate.byteCount,
              loss: total.loss + tensors[member].cost.loss(of: candidate.relativeError))
          }
        }
      })
  }

  private static func units(_ tensors: [TensorCandidates], ties: Set<Tie>) throws -> [Unit] {
    var places: [TieKey: Int] = [:]
    var groups: [[Int]] = []
    for (index, tensor) in tensors.enumerated() {
      guard let key = TieKey(tensor.identity, ties: ties) else {
        groups.append([index])
        continue
      }
      if let place = places[key] {
        groups[place].append(index)
      } else {
        places[key] = groups.count
        groups.append([index])
      }
    }
    return try groups.map { members in
      let layouts = tensors[members[0]].candidates.map(\.layout).filter { layout in
        members.allSatisfy { tensors[$0].candidate(layout) != nil }
      }
      guard !layouts.isEmpty else {
        throw AllocationError.tieWithoutCommonLayout(tensors: members.map { tensors[$0].name })
      }
      return Unit(members: members, layouts: layouts)
    }
  }

  // MARK: - Sizes

  /// Bytes of the tensors that are not quantized.
  private var keptByteCount: Int {
    plan.tensors.reduce(0) { total, tensor in
      if case .quantize = tensor.action { total } else { total + tensor.storedByteCount }
    }
  }

  private func bitsPerWeight(_ tensorByteCount: Int) -> Double {
    8 * Double(tensorByteCount) / Double(max(1, plan.weightCount))
  }

  /// What losses of the knapsack are divided by, so that they are what the plan's measure says.
  private var lossUnit: Double {
    switch measure {
    case .relativeError: tensors.reduce(0) { $0 + $1.weight }
    case .divergence: 1
    }
  }

  // MARK: - Choosing

  /// The best plan within a budget.
  ///
  /// - Throws: `AllocationError.tooSmall`, `.tooExact` or `.noUniformPlan`.
  package func plan(_ budget: Budget) throws -> BitPlan {
    var plan = try choose(budget)
    plan.uniform = uniformPlans
    plan.curve = curve
    return plan
  }

  /// The plan without its comparisons.
  private func choose(_ budget: Budget) throws -> BitPlan {
    switch budget {
    case .bitsPerWeight(let bits):
      let bytes = (bits * Double(plan.weightCount) / 8).rounded(.down)
      guard bytes < 0x1p62 else { return bitPlan(solution(.max)!) }
      return try bitPlan(tensorBytes: Int(bytes), wanted: "\(bits) bits per weight")
    case .size(let bytes): return try plan(size: bytes)
    case .relativeError(let error): return try plan(loss: error, .relativeError)
    case .divergence(let nats): return try plan(loss: nats, .divergence)
    case .uniform(let bits, let groupSize):
      guard
        let uniform = uniformPlans.first(where: {
          $0.layout.bits == bits && $0.layout.groupSize == groupSize
        })
      else {
        throw AllocationError.noUniformPlan(bits: bits, groupSize: groupSize)
      }
      // Ties and overrides may ask for more than one width for all takes.
      return try bitPlan(
        tensorBytes: uniform.tensorByteCount,
        wanted: "the size of \(bits) bits in groups of \(groupSize)")
    }
  }

  private func bitPlan(tensorBytes: Int, wanted: String) throws -> BitPlan {
    guard let solution = solution(tensorBytes - keptByteCount) else {
      func text(_ cost: Int) -> String { Self.text(bitsPerWeight(cost + keptByteCount)) }
      throw AllocationError.tooSmall(
        wanted: wanted, smallest: text(knapsack.smallestCost),
        largest: text(knapsack.largestCost))
    }
    return bitPlan(solution)
  }

  /// Rounded up, so that what is named as possible is.
  private static func text(_ bits: Double) -> String {
    String(format: "%.4f", (bits * 10_000).rounded(.up) / 10_000)
  }

  private func solution(_ budget: Int) -> Knapsack.Solution? { knapsack.solve(budget: budget) }

  /// Headers and configuration grow a little with the plan that they describe, so the budget for
  /// the tensors is found by trying.
  private func plan(size: Int) throws -> BitPlan {
    let largest = bitPlan(solution(knapsack.largestCost)!)
    guard try outputByteCount(largest) > size else { return largest }
    let smallest = bitPlan(solution(knapsack.smallestCost)!)
    var overhead = try outputByteCount(smallest) - smallest.totals.tensorByteCount
    var best: BitPlan?
    for _ in 0..<8 {
      guard let solution = solution(size - overhead - keptByteCount) else { break }
      let candidate = bitPlan(solution)
      let byteCount = try outputByteCount(candidate)
      guard byteCount <= size else {
        overhead += byteCount - size
        continue
      }
      if candidate.totals.loss < best?.totals.loss ?? .infinity {
        best = candidate
      }
      // What was set aside and not needed is tried for the tensors.
      let needed = byteCount - candidate.totals.tensorByteCount
      guard needed < overhead else { break }
      overhead = needed
    }
    if let best { return best }
    guard try outputByteCount(smallest) <= size else {
      throw AllocationError.tooSmall(
        wanted: "\(size) bytes", smallest: "\(try outputByteCount(smallest)) bytes",
        largest: "\(try outputByteCount(largest)) bytes")
    }
    return smallest
  }

  /// The smallest budget whose best plan stays within the loss.
  private func plan(loss: Double, _ wanted: LossMeasure) throws -> BitPlan {
    guard wanted == measure else { throw AllocationError.otherMeasure(wanted) }
    let allowed = loss * lossUnit
    guard let most = solution(knapsack.largestCost), most.loss <= allowed else {
      throw AllocationError.tooExact(
        wanted: loss, least: solution(knapsack.largestCost)!.loss / lossUnit, measure)
    }
    var (low, high) = (knapsack.smallestCost, knapsack.largestCost)
    var best = most
    while low < high {
      let middle = low + (high - low) / 2
      if let trial = solution(middle), trial.loss <= allowed {
        best = trial
        high = min(middle, trial.cost)
      } else {
        low = middle + 1
      }
    }
    return bitPlan(best)
  }

  /// Bytes of the directory that a conversion with the plan writes.
  package func outputByteCount(_ bitPlan: BitPlan) throws -> Int {
    try Conversion(plan.assigning(bitPlan), target: OutputTarget(path: "planned")).byteCount()
  }

  // MARK: - The plan

  private func bitPlan(_ solution: Knapsack.Solution) -> BitPlan {
    var choices: [String: BitPlan.Choice] = [:]
    for (index, unit) in units.enumerated() {
      let layout = unit.layouts[solution.choices[index]]
      let reason = reason(unit: index, chosen: solution.choices[index], loss: solution.loss)
      for member in unit.members {
        choices[tensors[member].name] = choice(tensors[member], layout, reason: reason)
      }
    }
    let tensorBytes = solution.cost + keptByteCount
    return BitPlan(
      decantVersion: decantVersion, method: plan.options.method, scaleType: plan.options.scaleType,
      request: record.request, sources: sources, dumps: record.dumps,
      choices: plan.tensors.compactMap { choices[$0.name] ?? keptChoice($0) }, measure: measure,
      totals: .init(
        bitsPerWeight: bitsPerWeight(tensorBytes), tensorByteCount: tensorBytes,
        loss: solution.loss / lossUnit, optimalityGap: solution.gap),
      uniform: [], curve: [], settings: record.settings)
  }

  private func choice(
    _ tensor: TensorCandidates, _ layout: AffineLayout, reason: String
  ) -> BitPlan.Choice {
    let chosen = tensor.candidate(layout)!
    return BitPlan.Choice(
      name: tensor.name, shape: tensor.shape, role: tensor.identity.role.rawValue,
      layer: tensor.identity.layer, layout: layout, byteCount: chosen.byteCount,
      relativeError: chosen.relativeError, samplingError: chosen.samplingError,
      weight: tensor.weight, divergence: tensor.divergence(of: chosen), reason: reason,
      alternatives: tensor.candidates.filter { $0.layout != layout }.map {
        .init(
          layout: $0.layout, byteCount: $0.byteCount, relativeError: $0.relativeError,
          divergence: tensor.divergence(of: $0))
      })
  }

  /// A tensor that would be quantized if no pattern kept it; nil for the others, which no plan
  /// decides on.
  private func keptChoice(_ tensor: TensorPlan) -> BitPlan.Choice? {
    guard tensor.standing == .keptOnPurpose, case .quantize = tensor.identity.treatment,
      tensor.fitsALayout
    else { return nil }
    return BitPlan.Choice(
      name: tensor.name, shape: tensor.tensor.shape, role: tensor.identity.role.rawValue,
      layer: tensor.identity.layer, layout: nil, byteCount: tensor.storedByteCount,
      relativeError: 0, samplingError: 0, weight: 0, divergence: nil, reason: tensor.reason,
      alternatives: [])
  }

  /// What the next larger and the next smaller option would have cost and brought.
  private func reason(unit: Int, chosen: Int, loss: Double) -> String {
    let layouts = units[unit].layouts
    var words: [String] = []
    if units[unit].members.count > 1 { words.append("\(units[unit].members.count) tensors tied") }
    words += units[unit].members.prefix(1).compactMap { tensors[$0].cost.text }
    let comparison = knapsack.reason(class: unit, chosen: chosen, loss: loss) { index in
      "\(layouts[index].bits) bits in \(layouts[index].groupSize)s"
    } cost: { cost in
      "\(cost) bytes"
    }
    return (words + [comparison]).joined(separator: "; ")
  }

  /// Plans with one width for all, as far as each tensor allows it.
  private var uniformPlans: [BitPlan.Uniform] {
    let layouts = Set(tensors.flatMap { $0.candidates.map(\.layout) })
      .sorted { ($0.bits, $1.groupSize) < ($1.bits, $0.groupSize) }
    return layouts.compactMap { layout in
      let picks = tensors.map { tensor in
        tensor.candidates.filter {
          $0.layout.bits == layout.bits && $0.layout.groupSize <= layout.groupSize
        }
        .max { $0.layout.groupSize < $1.layout.groupSize }
          ?? (tensor.candidates.count == 1 ? tensor.candidates[0] : nil)
      }
      guard picks.allSatisfy({ $0 != nil }) else { return nil }
      let bytes = picks.reduce(keptByteCount) { $0 + $1!.byteCount }
      let loss = zip(tensors, picks).reduce(0) { $0 + $1.0.cost.loss(of: $1.1!.relativeError) }
      return BitPlan.Uniform(
        layout: layout, tensorByteCount: bytes, bitsPerWeight: bitsPerWeight(bytes),
        loss: loss / lossUnit)
    }
  }

  /// From the smallest plan to the most exact, at most `curveLength` points, each optimal.
  private var curve: [BitPlan.CurvePoint] {
    let path = knapsack.hullPath()
    let step = max(1, (path.count - 1) / Self.curveLength)
    return path.indices.filter { $0 % step == 0 || $0 == path.count - 1 }.map { index in
      let bytes = path[index].cost + keptByteCount
      return BitPlan.CurvePoint(
        bitsPerWeight: bitsPerWeight(bytes), tensorByteCount: bytes,
        loss: max(0, path[index].loss) / lossUnit)
    }
  }

  private static let curveLength = 64
}

/// What tensors with a shared layout have in common.
private struct TieKey: Hashable {
  private let layer: Int?
  private let role: TensorRole

  /// Nil for a tensor that shares with none. The experts of a block always share: runtimes stack
  /// them.
  init?(_ identity: TensorIdentity, ties: Set<Tie>) {
    layer = identity.layer
    let (tie, fused): (Tie?, TensorRole)
    switch identity.role {
    case .attnQ, .attnK, .attnV: (tie, fused) = (.qkv, .attnQKV)
    case .mlpGate, .mlpUp: (tie, fused) = (.gateUp, .mlpGateUp)
    case .sharedExpertGate, .sharedExpertUp: (tie, fused) = (.gateUp, .sharedExpertGateUp)
    case .expertGate, .expertUp: (tie, fused) = (.gateUp, .expertGateUp)
    default: (tie, fused) = (nil, identity.role)
    }
    let isAsked = tie.map(ties.contains) ?? false
    guard isAsked || identity.expert != nil else { return nil }
    role = isAsked ? fused : identity.role
  }
}

extension TensorCandidates {
  fileprivate func candidate(_ layout: AffineLayout) -> Candidate? {
    candidates.first { $0.layout == layout }
  }

  /// Nil where it was not measured.
  fileprivate func divergence(of candidate: Candidate) -> Double? {
    cost.isMeasured ? cost.loss(of: candidate.relativeError) : nil
  }
}
