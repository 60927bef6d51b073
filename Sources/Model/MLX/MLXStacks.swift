import Formats

/// The names that the tensors of mlx-lm's stacks have in the source, for checkpoints that mlx-lm packed, which
/// record nothing.
package struct MLXStacks: Sendable {
  private let rules: [(source: PathPattern, stack: PathPattern)]

  /// Nil for families of which mlx-lm changes more than that: names alone would not give back the source.
  package init?(config: ModelConfig?) {
    guard let config else { return nil }
    let all = MLXFamily.of(config).flatMap(\.rules)
    rules = all.compactMap {
      guard case .stack(let source, let stack) = $0 else { return nil }
      return (source, PathPattern(stringLiteral: stack))
    }
    guard !rules.isEmpty, rules.count == all.count else { return nil }
  }

  /// What a tensor of that name stacks; nil where it is no stack of matrices or biases.
  ///
  /// - Parameter shape: `[count, out, in]`, or `[count, out]` of a bias.
  package func origin(of name: String, shape: [UInt64]) -> TensorOrigin? {
    let cut = PathPattern.Name(name)
    for (source, stack) in rules {
      guard let match = stack.match(cut), let leaf = match.leaf,
        shape.count == (leaf == "bias" ? 2 : 3), let count = Int(exactly: shape[0]), count > 0
      else { continue }
      let path = match.name(source.start)
      return TensorOrigin(
        TensorNameList(
          prefix: String(path.dropLast(leaf.utf8.count)),
          suffix: "." + (source.end + [leaf]).joined(separator: "."), count: count),
        shape: Array(shape.dropFirst()))
    }
    return nil
  }
}
