import Convert
import Formats
import Forward

/// A conversion whose codes are then learned. What `gptq` packs lies beside the output until that is written.
struct LearnedConversion {
  let conversion: Conversion
  let calibration: CalibrationFile
  let arguments: Arguments
  let runner: Runner

  struct Outcome {
    /// With the errors of the learned codes.
    let result: Converter.Result
    let layers: [LearnedRounding.Layer]
    /// Tensors whose codes were learned.
    let learned: Set<String>
  }

  /// - Throws: as `Conversion.run` and `LearnedRounding.run`; `LearningError`.
  func run(replacing: Bool, sourceByteCount: Int) throws -> Outcome {
    let target = conversion.destination.target
    try conversion.check(replacing: replacing)
    guard let tokens = try calibration.tokens() else {
      throw LearningError.noTokens(path: calibration.path)
    }
    let source = try ForwardModel(conversion.plan.checkpoint)
    let staged = try StagedOutput(target: target.path, replacing: true)
    let first = OutputTarget(path: staged.directory + "/gptq")
    let result = try runner.run("convert", byteCount: sourceByteCount) {
      try Conversion(conversion.plan, target: first).run(replacing: false, $0)
    }
    let packed = try PackedCheckpoint(Checkpoint(path: first.path))
    let windowLength = calibration.record.text.windowLength
    let learning = try LearnedRounding(
      source, packed: packed, tokens: tokens, windowLength: windowLength,
      options: try MemoryBound.options(
        arguments, models: [source, source], tokens: tokens.count, longestWindow: windowLength))
    let (codes, layers) = try runner.run("learn", byteCount: learning.byteCount, learning.run)
    let rewrite = try CodeRewrite(packed, codes, target: target)
    try runner.run("write", byteCount: rewrite.byteCount) {
      try rewrite.run(replacing: replacing, $0)
    }
    let errors = codes.errors
    return Outcome(
      result: result.replacingErrors(
        zip(conversion.plan.tensors, result.errors).map { errors[$0.name] ?? $1 }),
      layers: layers, learned: codes.names)
  }
}
