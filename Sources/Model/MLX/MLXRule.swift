/// What mlx-lm's loader expects of a family's packed tensors: other names, shapes or numbers than the
/// checkpoint has.
///
/// A path is the end of a tensor's module path: `experts.up_proj` is any `….experts.up_proj.weight`, or
/// one without `.weight`. In it `*` stands for the number of a matrix in a stack.
///
/// Rules for names come first: what the others say is about the names that those give.
enum MLXRule: Sendable {
  /// Names that begin like this begin otherwise. The first that fits holds.
  case prefix(String, to: String)
  /// Tensors that differ in the number `*` are one, `[count, out, in]`.
  case stack(PathPattern, to: String)
  /// The outputs of a weight are those of several. Without a leaf of its own, each has `.weight`.
  case split(PathPattern, into: [String], Cut)
  /// A weight of the rows of all experts is one weight for each; `*` is the expert.
  case apart(PathPattern, to: String, MatrixCount, MLXRule.RowsAre)
  /// The keys' and values' part of latent attention, one after the other for each head, are two stacks of
  /// a matrix for each head: `[heads, rank, keys]`, turned, and `[heads, values, rank]`.
  case heads(PathPattern, keys: String, values: String)
  /// A depthwise convolution `[channels, 1, width]` is `[channels, width, 1]`.
  case turnedConvolution(PathPattern)
  case change(PathPattern, Change)
  /// Left as it is in the source: the loader works on its 16-bit weights.
  case keep(PathPattern, reason: String)
  /// Left out, by the beginning of its name.
  case drop(String, reason: String)

  enum Cut: Sendable {
    /// Nothing is cut: another name, for what has no `.weight`.
    case whole
    /// One after the other.
    case halves
    /// Each takes every second.
    case alternating
  }

  enum RowsAre: Sendable {
    case outputs
    case inputs
  }

  /// How many matrices there are: a member of the configuration, or of an object in it.
  struct MatrixCount: Sendable {
    let member: String
    let inner: String?
  }

  enum Change: Sendable {
    case add(Double)
    /// The product of these members of the configuration; `name.1` is the second of a list.
    case multiply([String])
    /// The rows of a Mamba 2 input projection, by what they are.
    case multiplyParts
    /// Each row divided by its length, where the weight is packed.
    case normalizeRows
  }
}

/// The rules for some families.
struct MLXFamily: Sendable {
  /// `model_type`, that of the text part where there are several parts.
  let types: Set<String>
  /// When the rules hold.
  var condition = Condition.always
  let rules: [MLXRule]

  enum Condition: Sendable {
    case always
    /// Where there is a tensor with such a path.
    case present(PathPattern)
    case absent(PathPattern)
    /// Where convolutions with such a path lie as PyTorch has them.
    case unturned(PathPattern)
    /// Where a member of the configuration is true.
    case flag(String)
  }
}
