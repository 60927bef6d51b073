import Formats
import Foundation
import Synchronization
import Testing

@testable import Convert

/// A file that somebody rewrites in place, with the same size, while it is read.
@Suite struct TornSourceTests {
  private let folder: TemporaryFolder
  private var source: String { folder.path + "/source" }
  private var packed: String { folder.path + "/packed" }

  init() throws {
    folder = try TemporaryFolder()
    try FileManager.default.createDirectory(
      atPath: folder.path + "/source", withIntermediateDirectories: false)
    try writeSafetensors(
      [
        TestTensor(random: "model.embed_tokens.weight", .bf16, [64, 128], seed: 1),
        TestTensor(random: "lm_head.weight", .bf16, [64, 128], seed: 2),
        // More than one tile.
        TestTensor(repeating: "model.layers.0.mlp.up_proj.weight", .bf16, [2100, 128], seed: 3),
      ], to: source + "/model.safetensors")
    try folder.write(
      "source/config.json", Array(#"{"model_type": "llama", "tie_word_embeddings": false}"#.utf8))
    // The clock of file times moves in steps of a few milliseconds.
    Thread.sleep(forTimeInterval: 0.03)
  }

  /// A progress that writes to a file once more than `start` bytes are done.
  private func rewriting(_ path: String, after start: Int = 0) -> @Sendable (Int) -> Void {
    let left = Mutex(start)
    return { bytes in
      left.withLock { left in
        guard left >= 0 else { return }
        left -= bytes
        guard left < 0, let writer = FileHandle(forUpdatingAtPath: path) else { return }
        guard let size = try? writer.seekToEnd(), (try? writer.seek(toOffset: size - 64)) != nil
        else { return }
        try? writer.write(contentsOf: Data(repeating: 1, count: 64))
        try? writer.close()
      }
    }
  }

  private func isFound(
    _ path: String, output: String? = nil, after start: Int = 0,
    _ body: (@escaping @Sendable (Int) -> Void) throws -> Void
  ) {
    #expect(throws: FileError.changed(path: path)) {
      try body(rewriting(path, after: start))
    }
    if let output { #expect(!FileStatus.exists(output)) }
    #expect(!folder.entries.contains { $0.contains(".partial") })
  }

  private var weights: String { source + "/model.safetensors" }
  private var packedWeights: String { packed + "/model.safetensors" }
  private var out: String { folder.path + "/out" }

  @Test func byConvert() throws {
    let plan = try ConversionPlan(Checkpoint(path: source), options: .groups32)
    let conversion = try Conversion(plan, target: OutputTarget(path: out))
    isFound(weights, output: out) {
      _ = try conversion.run(
        replacing: false, RunContext(threads: 2, progress: $0))
    }
  }

  @Test func byUnpack() throws {
    try convert(source, to: packed, options: .groups32)
    let unpacker = try Unpacker(
      PackedCheckpoint(Checkpoint(path: packed)), target: OutputTarget(path: out), type: .f32,
      shardLimit: .max)
    isFound(packedWeights, output: out) {
      try unpacker.run(
        replacing: false, RunContext(threads: 2, progress: $0))
    }
  }

  @Test func byStatistics() throws {
    let run = try StatisticsRun(
      Checkpoint(path: source), dumps: [], options: MeasureOptions())
    isFound(weights) {
      _ = try run.run(RunContext(threads: 2, progress: $0))
    }
  }

  @Test func byStatisticsOfADump() throws {
    let dump = folder.path + "/dump.safetensors"
    try FileManager.default.copyItem(atPath: SampleModel.activations, toPath: dump)
    Thread.sleep(forTimeInterval: 0.03)
    var options = MeasureOptions()
    options.filter = try NamePattern("*layers.0.self_attn*")
    let run = try StatisticsRun(
      Checkpoint(path: SampleModel.path), dumps: [dump], options: options)
    isFound(dump) {
      _ = try run.run(RunContext(threads: 2, progress: $0))
    }
  }

  @Test func byPlan() throws {
    let plan = try ConversionPlan(Checkpoint(path: source), options: .groups32)
    var options = SampleModel.candidateOptions
    (options.bits, options.groupSizes) = ([4], [32])
    isFound(weights) {
      _ = try CandidateMeasurement(plan, options: options, meanSquares: [:]).run(
        RunContext(threads: 2, progress: $0))
    }
  }

  @Test func byValidateInWhatItChecksAndInItsSource() throws {
    try convert(source, to: packed, options: .groups32)
    Thread.sleep(forTimeInterval: 0.03)
    let validator = Validator(path: packed)
    // The source is opened when the packed files themselves have been read.
    let own = Validator.byteCount(path: packed, against: nil)
    isFound(weights, after: own) {
      _ = try validator.run(against: source, RunContext(threads: 2, progress: $0))
    }
    isFound(packedWeights) {
      _ = try validator.run(against: nil, RunContext(threads: 2, progress: $0))
    }
  }

  @Test func byMergeInTheBaseAndInTheAdapter() throws {
    let module = "model.layers.0.mlp.up_proj"
    try convert(source, to: packed, options: .groups32)
    let adapter = folder.path + "/adapter"
    try writeAdapter(
      [
        TestTensor(random: module + ".lora_A.weight", .f32, [2, 4], seed: 5),
        TestTensor(random: module + ".lora_B.weight", .f32, [2100, 2], seed: 6),
      ], to: adapter)
    Thread.sleep(forTimeInterval: 0.03)
    for path in [adapter + "/adapter_model.safetensors", packedWeights] {
      let merger = try PackedMerger(
        PackedCheckpoint(Checkpoint(path: packed)),
        AdapterSet([AdapterRequest(path: adapter)], pooling: .sum),
        target: OutputTarget(path: out), biasType: nil)
      // A merge holds its base against the checksums too, and may say it in that way.
      #expect(throws: (any Error).self) {
        _ = try merger.run(
          replacing: false, RunContext(threads: 2, progress: rewriting(path)))
      }
      #expect(!FileStatus.exists(out))
    }
  }
}
