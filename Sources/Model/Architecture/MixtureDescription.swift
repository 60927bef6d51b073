/// Experts, of which a router chooses a few for each token.
package struct MixtureDescription: Sendable, Equatable {
  package let router: LinearDescription
  package let routing: Routing
  package let chosenCount: Int
  package let experts: ExpertsDescription
  package let shared: SharedExpert?

  /// What weights the chosen experts have. z is what the router gives.
  package enum Routing: Sendable, Equatable {
    /// Softmax over all experts; those of the chosen divided by their sum, or as they are.
    case softmax(renormalizes: Bool)
    /// Softmax over the chosen.
    case softmaxOfChosen
    /// `s = σ(z)`. A bias is added for choosing alone: of the groups, those with the largest sums of two;
    /// in them, the largest. DeepSeek-V3, arXiv 2412.19437, section 2.1.2.
    case sigmoid(
      bias: String?, groups: Int, chosenGroups: Int, renormalizes: Bool, scale: Float)
  }

  /// An expert that every token visits.
  package struct SharedExpert: Sendable, Equatable {
    package let expert: GatedFeedForward
    /// To one number, whose sigmoid the output is multiplied with.
    package let gate: LinearDescription?
  }
}
