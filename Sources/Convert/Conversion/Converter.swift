import Formats
import Stats

/// Carries out a plan: reads, quantizes and writes every tensor once.
package struct Converter {
  package let plan: ConversionPlan
  package let output: OutputPlan

  /// What a tensor lost, in the order of the plan's tensors; nil where it was not quantized.
  package struct Result: Sendable {
    package let errors: [QuantizationError?]
    /// NaN and infinities of each tensor that were made zero.
    package let zeroedCounts: [Int]
    package let outputByteCount: Int
    /// What storing merged biases lost.
    package let rounding: BiasRounding

    /// With other errors, in the same order.
    package func replacingErrors(_ errors: [QuantizationError?]) -> Result {
      Result(
        errors: errors, zeroedCounts: zeroedCounts, outputByteCount: outputByteCount,
        rounding: rounding)
    }
  }

  package init(_ plan: ConversionPlan, output: OutputPlan) {
    self.plan = plan
    self.output = output
  }

  /// Writes the output's files into `directory` (an existing one).
  ///
  /// - Parameter carried: the files that were carried over beside them.
  /// - Throws: `FileError`, `ConversionError`, `MergeError`, `CancellationError`.
  package func run(
    into directory: String, carried: [Manifest.RecordedFile], _ context: RunContext
  ) throws -> Result {
    let sources = SourceDigests()
    let outcomes = try CheckpointWriter(files: output.files, producers: plan.producers()).run(
      into: directory, context, sources: sources
    ) { manifest, outcomes in
      complete(&manifest, outcomes, carried: carried, sources)
    }
    var rounding = BiasRounding()
    for outcome in outcomes { rounding.merge(outcome.effects.rounding) }
    return Result(
      errors: zip(plan.tensors, outcomes).map { tensor, outcome in
        tensor.action.isQuantized ? outcome.effects.error : nil
      },
      zeroedCounts: outcomes.map(\.effects.zeroedCount), outputByteCount: output.byteCount,
      rounding: rounding)
  }

  private func complete(
    _ manifest: inout Manifest, _ outcomes: [WritePass.Outcome], carried: [Manifest.RecordedFile],
    _ sources: SourceDigests
  ) {
    manifest.carried = carried
    for (index, file) in plan.checkpoint.files.enumerated() {
      manifest.sources[index].digest = sources.digest(of: file)
    }
    let byName = Dictionary(
      zip(plan.tensors, outcomes).map { ($0.name, $1.effects) },
      uniquingKeysWith: { first, _ in first })
    for index in manifest.tensors.indices {
      guard let effects = byName[manifest.tensors[index].name] else { continue }
      if manifest.tensors[index].zeroedCount != nil {
        manifest.tensors[index].zeroedCount = effects.zeroedCount
      }
      if manifest.tensors[index].error != nil {
        manifest.tensors[index].error = .init(
          squaredNorm: effects.error.squaredNorm, squaredError: effects.error.squaredError,
          largestError: effects.error.largestError)
      }
    }
  }
}
