import Formats
import Model

/// Whether the output projection is the embedding, from the configuration and the bytes.
///
/// A configuration that ties two tensors whose bytes differ is not believed: transformers loads such
/// a checkpoint untied, with a warning, and it is converted likewise.
struct TiedWeights: Sendable {
  let isTied: Bool?
  /// A stored head that equals the embedding, and is left out.
  let redundantHead: String?
  /// What is to be told of a tie that is none.
  let warning: String?

  private static let heads = [
    "lm_head.weight", "embed_out.weight", "language_model.lm_head.weight", "model.embed_out.weight",
  ]
  private static let embeddings = [
    "model.embed_tokens.weight", "model.decoder.embed_tokens.weight", "transformer.wte.weight",
    "wte.weight", "model.wte.weight", "model.embed_in.weight", "transformer.word_embeddings.weight",
    "word_embeddings.weight",
    "backbone.embeddings.weight", "gpt_neox.embed_in.weight",
    "model.language_model.embed_tokens.weight", "language_model.model.embed_tokens.weight",
  ]

  /// - Throws: `FileError`.
  init(_ tensors: [SourceTensor], of checkpoint: Checkpoint) throws {
    let head = tensors.first { Self.heads.contains($0.name) }
    let embedding = tensors.first { Self.embeddings.contains($0.name) }
    let declared = checkpoint.config?.tiesWordEmbeddings
    guard let head, let embedding else {
      (redundantHead, warning) = (nil, nil)
      isTied = declared ?? (embedding == nil ? nil : head == nil)
      return
    }
    let same = try declared != false && Self.equal(head, embedding, in: checkpoint)
    (isTied, redundantHead) = (same, same ? head.name : nil)
    warning =
      declared == true && !same
      ? "config.json ties '\(head.name)' to '\(embedding.name)', but their bytes differ:"
        + " both are kept apart, and tie_word_embeddings becomes false" : nil
  }

  private static func equal(
    _ a: SourceTensor, _ b: SourceTensor, in checkpoint: Checkpoint
  ) throws -> Bool {
    guard a.dtype == b.dtype, a.shape == b.shape, a.stored.count == b.stored.count else {
      return false
    }
    for (first, second) in zip(a.stored, b.stored) {
      guard first.info.dtype == second.info.dtype, first.info.shape == second.info.shape,
        try equal(first, second, in: checkpoint)
      else { return false }
    }
    return true
  }

  private static func equal(
    _ a: Checkpoint.Tensor, _ b: Checkpoint.Tensor, in checkpoint: Checkpoint
  ) throws -> Bool {
    var other = [UInt8](repeating: 0, count: min(InputFile.blockSize, b.info.byteCount))
    var position = 0
    var isSame = true
    try checkpoint.files[a.file].forEachBlock(of: a.info) { bytes, count in
      guard isSame else { return }
      try checkpoint.read(position..<position + count, of: b, into: &other)
      isSame = bytes[..<count] == other[..<count]
      position += count
    }
    return isSame
  }
}
