import Formats
import Stats

/// A packed checkpoint written anew under another name with learned codes; all other stored bytes stay.
package struct CodeRewrite {
  private let rewrite: PackedRewrite
  private let packed: PackedCheckpoint

  /// - Throws: `MergeError`, `PackedError`, `FileError`.
  package init(
    _ packed: PackedCheckpoint, _ codes: LearnedCodes, target: OutputTarget
  ) throws {
    try packed.checkWhole()
    self.packed = packed
    let errors = codes.errors
    rewrite = try PackedRewrite(
      packed, target: target,
      producers: { tensor in
        let copies: [any TensorProducer] = packed.readParts(tensor).map { CopiedTensor($0) }
        guard errors[tensor.entry.name] != nil else { return copies }
        return [LearnedWords(codes, name: tensor.entry.name, stored: tensor.stored[0].info)]
          + copies.dropFirst()
      },
      adapters: { _ in nil }, extra: nil,
      revise: { manifest in
        manifest.options["method"] = .string(QuantizationMethod.learn.recordedName)
        for index in manifest.tensors.indices {
          guard let error = errors[manifest.tensors[index].name] else { continue }
          manifest.tensors[index].method = QuantizationMethod.learn.recordedName
          manifest.tensors[index].error = Manifest.MeasuredError(
            squaredNorm: error.squaredNorm, squaredError: error.squaredError,
            largestError: error.largestError)
        }
      })
  }

  /// Bytes of all tensors that will be written.
  package var byteCount: Int { rewrite.byteCount }

  /// - Throws: `PackedError`, `OutputError`, `FileError`, `CancellationError`.
  package func run(replacing: Bool, _ context: RunContext) throws {
    _ = try rewrite.run(replacing: replacing, context, check: { _ in })
  }
}
