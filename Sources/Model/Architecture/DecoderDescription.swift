/// A decoder-only language model as data: everything that running it needs to know but the numbers.
///
/// Names are those of the published checkpoint. All sizes are positive and small enough for their products
/// of two or three to fit.
package struct DecoderDescription: Sendable, Equatable {
  /// As config.json names it.
  package let modelType: String
  package let vocabularySize: Int
  /// Width of the residual stream.
  package let hiddenSize: Int
  /// The longest window the model was made for, where the configuration says it.
  package let contextLength: Int?
  package let embedding: EmbeddingDescription
  package let layers: [LayerDescription]
  /// What the names of layers begin with, before their numbers.
  package let layerPrefix: String
  /// Nil where the last layer's output goes to the head as it is.
  package let finalNorm: NormDescription?
  package let head: HeadDescription
  /// What names begin with that files of the model without its head leave out, such as `transformer.`.
  package let optionalPrefix: String

  /// What the names of a file lack at their beginning; empty where they are those of the description.
  package func missingPrefix(in names: some Sequence<String>) -> String {
    names.contains { $0.hasPrefix(optionalPrefix) } ? "" : optionalPrefix
  }

  /// Whether a name is that of frequencies or masks, which are worked out anew.
  package static func isDerived(_ name: String) -> Bool {
    [
      "rotary_emb.inv_freq", "rotary_pos_emb.inv_freq", ".attn.bias", ".attn.masked_bias",
      ".attention.bias", ".attention.masked_bias",
    ].contains(where: name.hasSuffix)
  }

  /// Whether a name is that of scales of 8-bit floats, which are read with their weights.
  package static func isScale(_ name: String) -> Bool {
    ["_scale", "_scale_inv", "_scale_ub"].contains(where: name.hasSuffix)
  }

  /// The name that a file has for a tensor or a module whose names lack a prefix.
  package func stored(_ name: String, without missingPrefix: String) -> String {
    name.hasPrefix(missingPrefix) ? String(name.dropFirst(missingPrefix.count)) : name
  }
}

/// How tokens become the first hidden states.
package struct EmbeddingDescription: Sendable, Equatable {
  /// The names that its matrix has, `[vocabulary, width]`; the file holds one of them.
  package let weights: [String]
  /// Of a row; not the hidden size where `projection` is there.
  package let width: Int
  package let scale: Float
  package let projection: LinearDescription?
  package let positions: LearnedPositions?
  /// After positions were added.
  package let norm: NormDescription?

  /// A table of vectors that are added, one for each position.
  package struct LearnedPositions: Sendable, Equatable {
    package let weight: String
    package let rows: Int
    /// The row of the first position.
    package let offset: Int

    /// The longest window that it has rows for.
    package var longestWindow: Int { rows - offset }
  }
}

/// How the last hidden states become logits: `cap(scale * (W x + b))`.
package struct HeadDescription: Sendable, Equatable {
  /// Applied to the hidden states first.
  package let projection: LinearDescription?
  /// The module that the head is called by, whether or not the file has a matrix of its own for it.
  package let module: String
  /// The names that a matrix of its own has, `[vocabulary, width]`.
  package let weights: [String]
  package let bias: String?
  /// Whether the embedding is the head where the file has no other.
  package let mayBeTied: Bool
  package let width: Int
  package let scale: Float
  /// Logits z become `cap * tanh(z / cap)`.
  package let cap: Float?
}
