/// Widths to start from, by what a model is for: the recommendations of Qllm-Eval (Li et al.,
/// "Evaluating Quantized Large Language Models", arXiv 2402.18158; results in thu-nics/qllm-eval).
///
/// The authors call a width safe that costs less than 2 % against 16 bits, with round-to-nearest
/// in groups of 128. These are priors: what is measured on the model at hand overrides them.
package enum Preset: String, CaseIterable, Sendable {
  /// Understanding and writing text, instructions, examples in the prompt.
  case general
  /// Reasoning in several steps, mathematics, knowing what it knows.
  case reasoning
  /// More than 4,096 tokens.
  case longContext = "long-context"
  /// Chat over several turns.
  case dialogue
  /// Truthfulness, ethics, robustness against hostile prompts.
  case trust

  /// A width and why.
  package struct Choice: Sendable, Equatable {
    /// Nil for 16: not quantized.
    package let bits: Int?
    /// One sentence for people.
    package let reason: String
    /// The paper and the part of it.
    package let source: String
  }

  package struct Recommendation: Sendable, Equatable {
    package let weights: Choice
    package let activations: Choice
    package let keys: Choice
    package let values: Choice
    /// Where the paper's data say something other than its summary, and what the summary leaves
    /// open. Sentences for people.
    package let notes: [String]
  }

  /// The widths for a model.
  ///
  /// - Parameters:
  ///   - parameterCount: of the language model.
  ///   - activeParameterCount: of these, those that a token needs; a mixture of experts is judged
  ///     by them, and only counts as large beyond 13 billion.
  package func recommendation(
    parameterCount: Int, activeParameterCount: Int
  ) -> Recommendation {
    let size = Size(
      billions: (Double(activeParameterCount) / 1e9).rounded(),
      isMixture: activeParameterCount < parameterCount)
    let recommendation: Recommendation =
      switch self {
      case .general: .general
      case .reasoning: size.billions > 13 ? .largeReasoning : .smallReasoning
      case .longContext: .longContext
      case .dialogue: .dialogue
      case .trust:
        size.billions > 13 || (size.billions == 13 && !size.isMixture)
          ? .largeTrust : .smallTrust
      }
    return size.isMixture ? recommendation.noting(Self.mixtureNote) : recommendation
  }

  /// As models are called: LLaMA-2-13B has 13.02 billion parameters, OPT-13B 12.85.
  private struct Size {
    let billions: Double
    let isMixture: Bool
  }

  private static let mixtureNote =
    "a mixture of experts tolerates no more than a dense model of its active parameters:"
    + " Mixtral-8x7B loses 2.5 % on LAMBADA at 4-bit weights, as 7B models do"
}

extension Preset.Recommendation {
  /// - Parameter cache: of keys and values alike: the paper gives them one width.
  init(
    weights: Preset.Choice, activations: Preset.Choice, cache: Preset.Choice, notes: [String]
  ) {
    self.init(
      weights: weights, activations: activations, keys: cache, values: cache, notes: notes)
  }

  fileprivate func noting(_ note: String) -> Self {
    Self(
      weights: weights, activations: activations, keys: keys, values: values,
      notes: notes + [note])
  }
}

/// What the literature says of a width whatever the task. Ordered from bad to good.
package enum WidthStanding: Int, Sendable, Comparable {
  /// At chance level everywhere; better quantization methods (AWQ, SmoothQuant) do not rescue it.
  case fails
  /// Visible loss, on small models above all.
  case lossy
  case usable

  /// Source of all three: Qllm-Eval, arXiv 2402.18158, the findings on 2 and 3 bits for weights and
  /// cache and on 4 bits for activations.
  package static func weights(bits: Int) -> WidthStanding { ofStored(bits) }
  package static func cache(bits: Int) -> WidthStanding { ofStored(bits) }
  package static func activations(bits: Int) -> WidthStanding { bits <= 4 ? .fails : .usable }

  private static func ofStored(_ bits: Int) -> WidthStanding {
    bits <= 2 ? .fails : bits == 3 ? .lossy : .usable
  }

  package static func < (a: WidthStanding, b: WidthStanding) -> Bool { a.rawValue < b.rawValue }
}
