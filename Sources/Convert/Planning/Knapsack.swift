/// One option for each of several classes, at the least total loss within a budget: the
/// multiple-choice knapsack problem.
///
/// The way: steps along the lower convex hulls of all classes, steepest first, which is what a
/// Lagrange multiplier finds (Sinha and Zoltners, Operations Research 27, 1979); then an exact
/// search among what the bound of that solution leaves open (dominance lists after Nemhauser and
/// Ullmann, Management Science 15, 1969).
struct Knapsack {
  struct Option: Equatable {
    let cost: Int
    /// At least 0 and finite.
    let loss: Double
  }

  struct Solution: Equatable {
    /// Index of the option chosen in each class.
    let choices: [Int]
    let cost: Int
    let loss: Double
    /// No solution within the budget has a smaller loss than this; equal to `loss` where the
    /// search was completed.
    let bound: Double

    /// How far from the optimum the loss may be, as a share of it.
    var gap: Double { loss > 0 ? max(0, loss - bound) / loss : 0 }
  }

  /// Options by class; no class is empty.
  let classes: [[Option]]
  /// By class, the options that are not beaten by a cheaper or equal one, by rising cost.
  private let frontiers: [[Int]]
  private let steps: [Step]

  /// From one corner of a class's convex hull to the next.
  private struct Step {
    let owner: Int
    let from: Int
    let to: Int
    let cost: Int
    let gain: Double
    var slope: Double { gain / Double(cost) }
  }

  /// States of the search that are followed at once; with more, it is no longer exact.
  private static let stateLimit = 4_000

  init(_ classes: [[Option]]) {
    self.classes = classes
    let frontiers = classes.map(Self.frontier)
    self.frontiers = frontiers
    steps = classes.indices.flatMap { Self.hullSteps(classes[$0], frontiers[$0], owner: $0) }
      .enumerated()
      .sorted { a, b in
        a.element.slope != b.element.slope
          ? a.element.slope > b.element.slope : a.offset < b.offset
      }
      .map(\.element)
  }

  var smallestCost: Int { cost(of: cheapest) }
  /// Of the options with the least loss in each class.
  var largestCost: Int { cost(of: frontiers.map { $0[$0.count - 1] }) }

  private var cheapest: [Int] { frontiers.map { $0[0] } }

  func cost(of choices: [Int]) -> Int {
    zip(classes, choices).reduce(0) { $0 + $1.0[$1.1].cost }
  }

  func loss(of choices: [Int]) -> Double {
    zip(classes, choices).reduce(0) { $0 + $1.0[$1.1].loss }
  }

  /// The best choices whose cost is at most `budget`; nil where there are none.
  func solve(budget: Int) -> Solution? {
    guard smallestCost <= budget else { return nil }
    let (greedy, bound) = hullSolution(budget: budget)
    let filled = filling(greedy, budget: budget)
    let loss = loss(of: filled)
    guard loss > bound.loss else {
      return Solution(choices: filled, cost: cost(of: filled), loss: loss, bound: loss)
    }
    let exact = search(budget: budget, incumbent: loss, bound: bound)
    let best = exact.choices ?? filled
    let bestLoss = self.loss(of: best)
    return Solution(
      choices: best, cost: cost(of: best), loss: bestLoss,
      bound: exact.isComplete ? bestLoss : bound.loss)
  }

  /// Cost and loss along the hulls from the cheapest choices to the most exact, each the optimum for
  /// its cost.
  func hullPath() -> [Option] {
    var now = Option(cost: smallestCost, loss: loss(of: cheapest))
    return [now]
      + steps.map { step in
        now = Option(cost: now.cost + step.cost, loss: now.loss - step.gain)
        return now
      }
  }
}

// MARK: - Along the hulls

extension Knapsack {
  private static func frontier(_ options: [Option]) -> [Int] {
    var result: [Int] = []
    let order = options.indices.sorted { a, b in
      (options[a].cost, options[a].loss, a) < (options[b].cost, options[b].loss, b)
    }
    for index in order {
      if let last = result.last, options[last].loss <= options[index].loss { continue }
      result.append(index)
    }
    return result
  }

  private static func hullSteps(_ options: [Option], _ frontier: [Int], owner: Int) -> [Step] {
    func step(_ a: Int, _ b: Int) -> Step {
      Step(
        owner: owner, from: a, to: b, cost: options[b].cost - options[a].cost,
        gain: options[a].loss - options[b].loss)
    }
    var hull: [Int] = []
    for index in frontier {
      while hull.count >= 2 {
        let (a, b) = (hull[hull.count - 2], hull[hull.count - 1])
        guard step(a, b).slope <= step(b, index).slope else { break }
        hull.removeLast()
      }
      hull.append(index)
    }
    return zip(hull, hull.dropFirst()).map(step)
  }

  private struct Bound {
    let loss: Double
    /// Loss that a unit of cost is worth where the budget ends.
    let slope: Double
  }

  /// The solution along the hulls up to the first step that does not fit, and the loss of the
  /// linear relaxation, which no solution undercuts.
  private func hullSolution(budget: Int) -> ([Int], Bound) {
    var choices = cheapest
    var left = budget - cost(of: choices)
    for step in steps {
      guard step.cost <= left else {
        let loss = loss(of: choices)
        return (choices, Bound(loss: loss - step.slope * Double(left), slope: step.slope))
      }
      choices[step.owner] = step.to
      left -= step.cost
    }
    return (choices, Bound(loss: loss(of: choices), slope: 0))
  }

  /// Spends what is left on the most worthwhile changes that still fit, off the hulls too.
  private func filling(_ choices: [Int], budget: Int) -> [Int] {
    var choices = choices
    var left = budget - cost(of: choices)
    while left > 0 {
      var best: (owner: Int, option: Int, slope: Double)?
      for (owner, frontier) in frontiers.enumerated() {
        let now = classes[owner][choices[owner]]
        for index in frontier {
          let other = classes[owner][index]
          guard other.loss < now.loss, other.cost - now.cost <= left, other.cost > now.cost else {
            continue
          }
          let slope = (now.loss - other.loss) / Double(other.cost - now.cost)
          if slope > best?.slope ?? 0 { best = (owner, index, slope) }
        }
      }
      guard let best else { break }
      left -= classes[best.owner][best.option].cost - classes[best.owner][choices[best.owner]].cost
      choices[best.owner] = best.option
    }
    return choices
  }
}

// MARK: - Exact search

extension Knapsack {
  /// A partial solution: the classes so far.
  private struct State {
    let cost: Int
    let loss: Double
    /// Index into the states before this class, and the option taken in it.
    let parent: Int
    let option: Int
  }

  /// Looks at every combination that could undercut the incumbent.
  ///
  /// With a price on cost, an option is worse than the best of its class by some penalty. The
  /// penalties of a solution add up to its distance from the bound, so that one beyond the
  /// incumbent's distance cannot win: few options of few classes are left.
  ///
  /// - Returns: better choices where there are any, and whether all was looked at.
  private func search(
    budget: Int, incumbent: Double, bound: Bound
  ) -> (choices: [Int]?, isComplete: Bool) {
    // Rounding must not drop the optimum.
    let slack = (incumbent - bound.loss) * (1 + 1e-9) + incumbent * 1e-12
    func priced(_ option: Option) -> Double { option.loss + bound.slope * Double(option.cost) }
    var open: [(owner: Int, options: [Int])] = []
    var base = (cost: 0, loss: 0.0)
    var choices = cheapest
    for (owner, frontier) in frontiers.enumerated() {
      let least = frontier.map { priced(classes[owner][$0]) }.min() ?? 0
      let options = frontier.filter { priced(classes[owner][$0]) - least <= slack }
      if options.count == 1 {
        choices[owner] = options[0]
        base.cost += classes[owner][options[0]].cost
        base.loss += classes[owner][options[0]].loss
      } else {
        open.append((owner, options))
      }
    }
    // What the classes to come cost and lose at the least, for pruning.
    var cheapestRest = [Int](repeating: 0, count: open.count + 1)
    var pricedRest = [Double](repeating: 0, count: open.count + 1)
    for index in open.indices.reversed() {
      let options = open[index].options.map { classes[open[index].owner][$0] }
      cheapestRest[index] = cheapestRest[index + 1] + (options.map(\.cost).min() ?? 0)
      pricedRest[index] = pricedRest[index + 1] + (options.map(priced).min() ?? 0)
    }
    let limit = incumbent * (1 + 1e-12) + bound.slope * Double(budget)

    var isComplete = true
    var stages: [[State]] = [[State(cost: base.cost, loss: base.loss, parent: 0, option: 0)]]
    for (index, level) in open.enumerated() {
      var next: [State] = []
      for (parent, state) in stages[index].enumerated() {
        for choice in level.options {
          let option = classes[level.owner][choice]
          let (cost, loss) = (state.cost + option.cost, state.loss + option.loss)
          guard cost + cheapestRest[index + 1] <= budget,
            loss + bound.slope * Double(cost) + pricedRest[index + 1] <= limit
          else { continue }
          next.append(State(cost: cost, loss: loss, parent: parent, option: choice))
        }
      }
      var kept = Self.undominated(next)
      if kept.count > Self.stateLimit {
        isComplete = false
        kept = Array(
          kept.sorted { a, b in
            (a.loss + bound.slope * Double(a.cost), a.cost)
              < (b.loss + bound.slope * Double(b.cost), b.cost)
          }
          .prefix(Self.stateLimit))
      }
      stages.append(kept)
    }
    guard var state = stages[open.count].min(by: { $0.loss < $1.loss }), state.loss < incumbent
    else { return (nil, isComplete) }
    for index in open.indices.reversed() {
      choices[open[index].owner] = state.option
      state = stages[index][state.parent]
    }
    return (choices, isComplete)
  }

  /// States by rising cost and falling loss.
  private static func undominated(_ states: [State]) -> [State] {
    var result: [State] = []
    let sorted = states.sorted { a, b in
      (a.cost, a.loss, a.parent, a.option) < (b.cost, b.loss, b.parent, b.option)
    }
    for state in sorted where state.loss < result.last?.loss ?? .infinity { result.append(state) }
    return result
  }
}
