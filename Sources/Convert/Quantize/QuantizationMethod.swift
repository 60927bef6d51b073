/// How scale and bias of a group are chosen. All methods fill the same layout.
package enum QuantizationMethod: String, Sendable, CaseIterable {
  /// The uniform quantizer between the group's minimum and maximum (QA-LoRA, Eq. 1).
  case minmax
  /// The least squared error of: `minmax`, MLX's own quantizer, and a search from there. Errors
  /// count as much as the weights' input channels do (`ChannelImportance`).
  case search
  /// From what `search` finds on, errors are made up for in the rest of their rows, for the second moments of
  /// the inputs (GPTQ, arXiv 2210.17323), and scales and biases are refitted. A matrix whose inputs were not
  /// measured is done by `search`.
  case gptq
  /// Then each weight is rounded to the one of two codes that serves its layer best (`LearnedRounding`): made of
  /// a checkpoint that `gptq` packed.
  case learn

  /// Whether it takes Gram matrices.
  package var needsGrams: Bool { self == .gptq || self == .learn }

  /// As manifests record it. The same method must give the same bytes again, so that a search that
  /// finds other parameters has another name: `search` is that of format version 1 and of the first
  /// files of version 2, which is no longer known.
  package var recordedName: String {
    switch self {
    case .minmax: "minmax"
    case .search: "search-2"
    case .gptq: "gptq"
    case .learn: "learn"
    }
  }

  static let earlierSearch = "search"

  init?(recordedName: String) {
    guard let method = Self.allCases.first(where: { $0.recordedName == recordedName }) else {
      return nil
    }
    self = method
  }
}
