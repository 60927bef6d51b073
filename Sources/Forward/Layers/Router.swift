import Foundation
import Model

/// Chooses experts for tokens.
struct Router {
  /// The tokens that visit an expert, ascending, and what its output counts for each.
  struct Route {
    var tokens: [Int] = []
    var weights: [Float] = []
  }

  private let mixture: MixtureDescription
  /// For choosing alone; empty for zeros.
  private let bias: [Float]

  init(_ mixture: MixtureDescription, in model: ForwardModel) throws {
    self.mixture = mixture
    if case .sigmoid(let name?, _, _, _, _) = mixture.routing {
      bias = try model.numbers(name)
    } else {
      bias = []
    }
  }

  /// - Parameter scores: what the router gives, `[tokens, experts]`.
  /// - Returns: one route for each expert.
  func routes(_ scores: Activations) -> [Route] {
    let count = mixture.experts.count
    var routes = [Route](repeating: Route(), count: count)
    for token in 0..<scores.tokens {
      let row = Array(scores.values[token * count..<(token + 1) * count])
      for (expert, weight) in choose(row) {
        routes[expert].tokens.append(token)
        routes[expert].weights.append(weight)
      }
    }
    return routes
  }

  private func choose(_ scores: [Float]) -> [(expert: Int, weight: Float)] {
    switch mixture.routing {
    case .softmax(let renormalizes):
      let chosen = Self.largest(mixture.chosenCount, of: scores, among: Array(scores.indices))
      // Softmax over the chosen is that over all, divided by the sum of theirs.
      let all = renormalizes ? chosen : Array(scores.indices)
      return Self.softmax(scores, of: chosen, over: all)
    case .softmaxOfChosen:
      let chosen = Self.largest(mixture.chosenCount, of: scores, among: Array(scores.indices))
      return Self.softmax(scores, of: chosen, over: chosen)
    case .sigmoid(_, let groups, let chosenGroups, let renormalizes, let scale):
      let own = scores.map(sigmoid)
      let ranked = bias.isEmpty ? own : zip(own, bias).map { $0 + $1 }
      let size = scores.count / groups
      let ranks = (0..<groups).map { group in
        ranked[group * size..<(group + 1) * size].sorted(by: >).prefix(2).reduce(0, +)
      }
      let open = Self.largest(chosenGroups, of: ranks, among: Array(ranks.indices))
        .flatMap { Array($0 * size..<($0 + 1) * size) }
      let chosen = Self.largest(mixture.chosenCount, of: ranked, among: open)
      let sum = renormalizes ? chosen.reduce(Float(1e-20)) { $0 + own[$1] } : 1
      return chosen.map { ($0, own[$0] / sum * scale) }
    }
  }

  /// The places of the largest numbers; of equal ones those that come first.
  private static func largest(_ count: Int, of numbers: [Float], among places: [Int]) -> [Int] {
    let sorted = places.sorted { (numbers[$0], $1) > (numbers[$1], $0) }
    return Array(sorted.prefix(count))
  }

  private static func softmax(
    _ scores: [Float], of chosen: [Int], over all: [Int]
  ) -> [(expert: Int, weight: Float)] {
    let most = all.reduce(-Float.infinity) { max($0, scores[$1]) }
    let sum = all.reduce(Float(0)) { $0 + exp(scores[$1] - most) }
    return chosen.map { ($0, exp(scores[$0] - most) / sum) }
  }
}
