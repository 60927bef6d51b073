import Formats
import Foundation
import Model

/// A whole conversion, from a planned source to a finished file or directory under its final name.
package struct Conversion {
  package let plan: ConversionPlan
  package let output: OutputPlan
  package let destination: Destination

  /// - Throws: `FileError` or `SourceError` where the files to carry over cannot be listed; `GGUFError` where
  ///   a GGUF file cannot hold the tensors.
  package init(_ plan: ConversionPlan, target: OutputTarget) throws {
    self.plan = plan
    destination = try Destination(
      target, source: plan.checkpoint, shardLimit: plan.options.shardLimit)
    precondition(target.isGGUF == (plan.gguf != nil), "a plan is made for its output")
    do {
      output = try OutputPlan(plan, for: destination)
    } catch let violation as GGUFError.Violation {
      throw GGUFError(file: target.path, violation: violation)
    }
  }

  /// Files of the source directory that are left behind.
  package var skippedFiles: [String] { destination.carried?.skipped ?? [] }

  /// Bytes of everything that will be written: weights, configuration, index, carried files.
  package func byteCount() -> Int {
    output.byteCount + output.documents.reduce(0) { $0 + $1.bytes.count }
      + (destination.carried?.byteCount ?? 0)
  }

  /// Refuses a conversion that does not do what conversions are for, unless its options say that
  /// any coverage will do. What was published in 4 bits need not get smaller.
  ///
  /// - Throws: `PlanError.nothingQuantized`, `.larger`.
  package func checkGain() throws {
    guard plan.options.minimumCoverage != 0, plan.gguf == nil else { return }
    guard plan.tensors.contains(where: { $0.standing == .quantized }) else {
      throw PlanError.nothingQuantized(path: plan.checkpoint.path)
    }
    guard !plan.tensors.contains(where: { $0.tensor.isPublishedPacked }) else { return }
    let before = plan.tensors.reduce(0) { $0 + $1.tensor.byteCount }
    guard output.dataByteCount <= before else {
      throw PlanError.larger(
        path: plan.checkpoint.path, byteCount: output.dataByteCount, sourceByteCount: before)
    }
  }

  /// Refuses an output that must not be written, before any work is done.
  package func check(replacing: Bool) throws {
    try checkGain()
    try result.check(
      source: plan.checkpoint, replacing: replacing, weights: output.files.map(\.name))
  }

  /// Writes the output under a temporary name, syncs it, and gives it its own.
  package func run(
    replacing: Bool, _ context: RunContext
  ) throws -> Converter.Result {
    try check(replacing: replacing)
    return try result.write(replacing: replacing, context.cancellation) { directory, carried in
      try Converter(plan, output: output).run(into: directory, carried: carried, context)
    }
  }

  private var result: StagedResult {
    StagedResult(
      destination: destination, documents: output.documents,
      inputs: plan.checkpoint.inputs + plan.adapterInputs)
  }
}
