import Stats
import Testing

@testable import Convert

@Suite("Knapsack")
struct KnapsackTests {
  private static func random(
    _ generator: inout SplitMix64, classes: Int, options: Int, costs: ClosedRange<Int>
  ) -> [[Knapsack.Option]] {
    (0..<classes).map { _ in
      (0..<options).map { _ in
        Knapsack.Option(
          cost: Int.random(in: costs, using: &generator),
          loss: Double(Int.random(in: 0...1000, using: &generator)) / 64)
      }
    }
  }

  /// Least loss within the budget by looking at every combination.
  private static func bruteForce(_ classes: [[Knapsack.Option]], budget: Int) -> Double? {
    var states = [(cost: 0, loss: 0.0)]
    for options in classes {
      states = states.flatMap { state in
        options.map { (state.cost + $0.cost, state.loss + $0.loss) }
      }
    }
    return states.filter { $0.cost <= budget }.map(\.loss).min()
  }

  @Test("Small cases are solved exactly", arguments: 0..<30)
  func smallCases(seed: Int) {
    var generator = SplitMix64(seed: UInt64(seed))
    let count = 1 + seed % 5
    let classes = Self.random(&generator, classes: count, options: 5, costs: 1...40)
    let knapsack = Knapsack(classes)
    for budget in stride(from: count, through: 41 * count, by: 7) {
      let expected = Self.bruteForce(classes, budget: budget)
      let solution = knapsack.solve(budget: budget)
      #expect(solution?.loss == expected)
      guard let solution else { continue }
      #expect(solution.cost <= budget)
      #expect(solution.cost == knapsack.cost(of: solution.choices))
      #expect(solution.bound == solution.loss)
    }
  }

  /// The reference's own bound: no Lagrange multiplier may prove a loss larger than the solution's.
  @Test("A thousand classes of twelve options stay within a narrow, true gap")
  func large() throws {
    var generator = SplitMix64(seed: 7)
    let classes: [[Knapsack.Option]] = (0..<1000).map { _ in
      let size = Int.random(in: 1...64, using: &generator) * 4096
      let weight = Double.random(in: 0.5...8, using: &generator)
      return (0..<12).map { option in
        let bits = 2.0 + Double(option) * 0.5
        let noise = Double.random(in: 0.9...1.1, using: &generator)
        var loss = weight * noise
        for _ in 0..<option { loss /= 2 }
        return Knapsack.Option(cost: Int(Double(size) * bits / 8), loss: loss)
      }
    }
    let knapsack = Knapsack(classes)
    let budget = (knapsack.smallestCost + knapsack.largestCost) / 2
    let solution = try #require(knapsack.solve(budget: budget))
    #expect(solution.cost <= budget)
    #expect(solution.bound <= solution.loss)
    #expect(solution.gap < 1e-4)
    for step in 0..<200 {
      let price = Double(step) * 1e-8
      let relaxed = classes.reduce(0.0) { total, options in
        total + options.map { $0.loss + price * Double($0.cost) }.min()!
      }
      #expect(relaxed - price * Double(budget) <= solution.loss * (1 + 1e-9))
    }
  }

  @Test("A budget below the cheapest choices has no solution; a large one takes the best options")
  func ends() throws {
    let knapsack = Knapsack([
      [.init(cost: 3, loss: 5), .init(cost: 9, loss: 1)],
      [.init(cost: 4, loss: 2), .init(cost: 4, loss: 7), .init(cost: 6, loss: 3)],
    ])
    #expect(knapsack.smallestCost == 7)
    #expect(knapsack.largestCost == 13)
    #expect(knapsack.solve(budget: 6) == nil)
    #expect(knapsack.solve(budget: 7)?.choices == [0, 0])
    let all = try #require(knapsack.solve(budget: 1000))
    #expect(all.choices == [1, 0])
    #expect(all.loss == 3)
    #expect(all.gap == 0)
  }

  @Test("Every choice along the hulls is the optimum for its cost")
  func hullPath() {
    var generator = SplitMix64(seed: 3)
    let classes = Self.random(&generator, classes: 5, options: 5, costs: 1...40)
    let knapsack = Knapsack(classes)
    let path = knapsack.hullPath()
    #expect(path.count > 3)
    for point in path {
      #expect(Self.bruteForce(classes, budget: point.cost) == point.loss)
    }
  }
}
