import Formats
import Foundation
import Stats
import TestModels
import Testing

@testable import Convert

/// Packed checkpoints as sources of weights: decant's own, and the same without a word of decant's in
/// them, which is what MLX writes.
@Suite struct PackedSourceTests {
  enum Packing: String, CaseIterable, Sendable { case decant, mlx }

  private let pack: SmallPack

  init() throws {
    pack = try SmallPack()
    let file = try NaiveFile(path: pack.oneFile)
    try FileManager.default.createDirectory(atPath: mlx, withIntermediateDirectories: false)
    try writeSafetensors(
      file.tensors.sorted { $0.key < $1.key }.map {
        TestTensor($0.key, $0.value.type, $0.value.shape, bytes: $0.value.bytes)
      }, to: mlx + "/model.safetensors")
    try FileManager.default.copyItem(
      atPath: pack.one + "/config.json", toPath: mlx + "/config.json")
    try unpack(pack.one, to: plain)
  }

  private var mlx: String { pack.folder.path + "/mlx" }
  /// The packed weights as plain numbers.
  private var plain: String { pack.folder.path + "/plain" }
  private func path(_ packing: Packing) -> String { packing == .decant ? pack.one : mlx }

  private func tensors(_ directory: String) throws -> [String: [UInt8]] {
    try NaiveFile(path: directory + "/model.safetensors").tensors.mapValues(\.bytes)
  }

  @Test func whatMLXPackedUnpacksAlike() throws {
    let output = pack.folder.path + "/unpacked"
    try unpack(mlx, to: output)
    #expect(try tensors(output) == tensors(plain))
    let config = try Checkpoint(path: output).config?.document
    #expect(config?["quantization"] == nil && config?["quantization_config"] == nil)
  }

  @Test func aCheckpointThatIsNotPackedIsNotUnpacked() throws {
    #expect(throws: PackedError.noManifest(file: pack.source + "/model.safetensors")) {
      try unpack(pack.source, to: pack.folder.path + "/unpacked")
    }
  }

  /// Decoding first and packing then is the same as both in one step.
  @Test(arguments: Packing.allCases) func packingAgainIsPackingWhatItDecodesTo(
    _ packing: Packing
  ) throws {
    var options = ConversionOptions()
    options.bits = 3
    options.groupSize = 32
    options.keep = [try NamePattern("*down_proj*")]
    options.minimumCoverage = 0
    let outputs = [pack.folder.path + "/again", pack.folder.path + "/once"]
    #expect(throws: PlanError.alreadyPacked(path: path(packing))) {
      try convert(path(packing), to: outputs[0], options: options)
    }
    try convert(plain, to: outputs[1], options: options)
    options.requantizes = true
    try convert(path(packing), to: outputs[0], options: options)
    #expect(try tensors(outputs[0]) == tensors(outputs[1]))
    #expect(try validate(outputs[0], against: path(packing)) == [])
    #expect(try validate(outputs[0], against: pack.source).map(\.rule).contains("source"))
  }

  /// Packed weights are output-major; kept, they go back to the order that their names stand for.
  @Test func inputMajorWeightsThatAreKeptGoBackToTheirOrder() throws {
    let family = try #require(
      SyntheticFamily.all.first { $0.config["model_type"]?.stringValue == "gpt2" })
    let folder = try TemporaryFolder()
    try writeSafetensors(
      family.tensors.enumerated().map { index, tensor in
        TestTensor(random: tensor.name, tensor.dtype, tensor.shape, seed: UInt64(index))
      }, to: folder.path + "/source.safetensors")
    try folder.write("config.json", Array(family.config.prettyText.utf8))
    func output(_ name: String) -> String { folder.path + "/\(name).safetensors" }
    var options = ConversionOptions()
    options.groupSize = 32
    try convert(
      output("source"), to: output("packed"), options: options, arrangement: .asStored)
    try unpack(output("packed"), to: output("plain"))
    options.keep = [try NamePattern("*c_fc*"), try NamePattern("*wte*")]
    options.requantizes = true
    options.minimumCoverage = 0
    try convert(
      output("packed"), to: output("again"), options: options, arrangement: .asStored)
    #expect(try validate(output("again"), against: output("packed")) == [])
    let (again, plain) = (
      try NaiveFile(path: output("again")).tensors, try NaiveFile(path: output("plain")).tensors
    )
    let kept = plain.keys.filter { $0.hasSuffix("c_fc.weight") || $0.hasSuffix("wte.weight") }
    #expect(kept.count == 3)
    for name in kept {
      #expect(again[name]?.shape == plain[name]?.shape && again[name]?.bytes == plain[name]?.bytes)
    }
  }

  /// A tile of such a weight is scattered over the matrix that it goes back into.
  @Test func inputMajorWeightsOfSeveralTilesAreComparedWhereTheyLie() throws {
    let folder = try TemporaryFolder()
    try writeSafetensors(
      [TestTensor(repeating: "h.0.mlp.c_fc.weight", .bf16, [256, 1100], seed: 3)],
      to: folder.path + "/source.safetensors")
    try folder.write("config.json", Array(#"{"model_type": "gpt2"}"#.utf8))
    func output(_ name: String) -> String { folder.path + "/\(name).safetensors" }
    var options = ConversionOptions()
    options.method = .minmax
    try convert(output("source"), to: output("packed"), options: options)
    options.keep = [try NamePattern("*c_fc*")]
    options.requantizes = true
    options.minimumCoverage = 0
    try convert(output("packed"), to: output("again"), options: options)
    #expect(try validate(output("again"), against: output("packed")) == [])
    // The last weight, with the digests made again: only the comparison can tell.
    var editor = try PackedEditor(output("again"))
    editor.data[editor.data.count - 1] ^= 1
    editor.rehash()
    try editor.write()
    #expect(
      try validate(output("again"), against: output("packed")).map(\.rule) == ["source"])
  }

  @Test(arguments: Packing.allCases) func statisticsAreOfWhatIsStored(_ packing: Packing) throws {
    func measured(_ path: String) throws -> [String: TensorStatistics] {
      let run = try StatisticsRun(Checkpoint(path: path), dumps: [], options: MeasureOptions())
      let tensors = try run.run(RunContext(threads: 2))
      return Dictionary(tensors.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }
    let (packed, plain) = (try measured(path(packing)), try measured(plain))
    #expect(Set(packed.keys) == Set(plain.keys) && packed.count == 4)
    for (name, expected) in plain {
      let found = try #require(packed[name])
      #expect(found.shape == expected.shape && found.dtype == expected.dtype)
      #expect(found.distribution.absMax == expected.distribution.absMax)
      // The packed weights' bins have no exact moments; those of halves are summed by value.
      let kurtosis = try #require(expected.distribution.moments.kurtosis)
      #expect(abs(try #require(found.distribution.moments.kurtosis) - kurtosis) < 1e-9)
      #expect(
        found.roundTrips.map(\.error.squaredError) == expected.roundTrips.map(\.error.squaredError))
    }
  }

  @Test(arguments: Packing.allCases) func widthsAreChosenForWhatIsStored(
    _ packing: Packing
  ) throws {
    func candidates(_ path: String) throws -> [[Double]] {
      var options = ConversionOptions()
      options.requantizes = true
      let plan = try ConversionPlan(Checkpoint(path: path), options: options)
      return try CandidateMeasurement(plan, options: CandidateOptions()).run(RunContext(threads: 2))
        .sorted { $0.name < $1.name }.map { $0.candidates.map(\.relativeError) }
    }
    #expect(try candidates(path(packing)) == candidates(plain))
  }

  @Test func whatMLXPackedIsHeldAgainstItsSource() throws {
    #expect(try validate(mlx).map(\.rule) == ["manifest_missing"])
    let report = try Validator(path: mlx).report(
      against: pack.source, RunContext(threads: 2))
    #expect(report.findings == [] && !report.isRecorded)
    let own = try Validator(path: pack.one).report(against: pack.source, RunContext(threads: 2))
    #expect(own.isRecorded)
    func losses(_ report: ValidationReport) -> [String: Double] {
      Dictionary(
        (report.distances ?? []).map { ($0.tensor, $0.error.squaredError) },
        uniquingKeysWith: { first, _ in first })
    }
    #expect(losses(report) == losses(own) && losses(report).count == 3)
  }

  @Test func partsThatDoNotFitAreFound() throws {
    let module = String(SmallPack.up.dropLast(".weight".count))
    let file = try NaiveFile(path: pack.oneFile)
    try writeSafetensors(
      file.tensors.sorted { $0.key < $1.key }.map { name, tensor in
        name == module + ".biases"
          ? TestTensor(name, tensor.type, [95, 1], bytes: Array(tensor.bytes.prefix(190)))
          : TestTensor(name, tensor.type, tensor.shape, bytes: tensor.bytes)
      }, to: mlx + "/model.safetensors")
    #expect(try validate(mlx).map(\.rule) == ["tensor_shape"])
    #expect(throws: PackedError.self) { try unpack(mlx, to: pack.folder.path + "/unpacked") }
  }

  /// Shapes alone fit several layouts: what the configuration does not say is not guessed.
  @Test func withoutAGroupSizeNothingIsDecoded() throws {
    try pack.editDocument(mlx + "/config.json") {
      $0["quantization"] = ["bits": 4]
      $0["quantization_config"] = nil
    }
    for work in [
      { try unpack(mlx, to: pack.folder.path + "/unpacked") },
      {
        _ = try StatisticsRun(Checkpoint(path: mlx), dumps: [], options: MeasureOptions())
      },
    ] {
      let error = #expect(throws: PackedError.self, performing: work)
      guard case .unknownPacking = error else {
        Issue.record("\(String(describing: error))")
        continue
      }
    }
    #expect(try !Inspection(Checkpoint(path: mlx)).isPacked)
  }

  /// Names and neighbours may suggest another order than the packed weight has.
  @Test func aPackedWeightKnowsItsOrder() throws {
    let folder = try TemporaryFolder()
    let name = "transformer.h.0.mlp.c_fc.weight"
    try writeSafetensors(
      [TestTensor(random: name, .bf16, [64, 96], seed: 3)], to: folder.path + "/s.safetensors")
    try folder.write("config.json", Array(#"{"model_type": "gpt2"}"#.utf8))
    func output(_ name: String) -> String { folder.path + "/\(name).safetensors" }
    var options = ConversionOptions()
    options.groupSize = 32
    try convert(output("s"), to: output("packed"), options: options)
    // Without the configuration a lone matrix of this shape counts as output-major.
    try FileManager.default.removeItem(atPath: folder.path + "/config.json")
    options.requantizes = true
    options.bits = 8
    options.minimumCoverage = 0
    try convert(output("packed"), to: output("again"), options: options)
    #expect(try validate(output("again"), against: output("packed")) == [])
    try unpack(output("packed"), to: output("first"))
    try unpack(output("again"), to: output("second"))
    let first = try values(name, in: Checkpoint(path: output("first")))
    let second = try values(name, in: Checkpoint(path: output("second")))
    let norm = first.reduce(0) { $0 + $1 * $1 }
    let error = zip(first, second).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    #expect(error < 1e-3 * norm)
  }

  /// A tensor that has the name of a packed module is no part of it.
  @Test func aTensorNamedLikeAModuleIsKept() throws {
    let module = String(SmallPack.up.dropLast(".weight".count))
    let file = try NaiveFile(path: pack.oneFile)
    let extra = TestTensor(module, "U32", [2], bytes: [1, 2, 3, 4, 5, 6, 7, 8])
    try writeSafetensors(
      file.tensors.sorted { $0.key < $1.key }.map {
        TestTensor($0.key, $0.value.type, $0.value.shape, bytes: $0.value.bytes)
      } + [extra], to: mlx + "/model.safetensors")
    let outputs = [pack.folder.path + "/again", pack.folder.path + "/unpacked"]
    var options = ConversionOptions()
    options.requantizes = true
    options.minimumCoverage = 0
    try convert(mlx, to: outputs[0], options: options)
    try unpack(mlx, to: outputs[1])
    for output in outputs { #expect(try tensors(output)[module] == extra.bytes) }
  }

  @Test func partsInNoKnownLayoutAreRefused() throws {
    let module = String(SmallPack.up.dropLast(".weight".count))
    let file = try NaiveFile(path: pack.oneFile)
    try writeSafetensors(
      file.tensors.filter { $0.key != module + ".biases" }.sorted { $0.key < $1.key }.map {
        TestTensor($0.key, $0.value.type, $0.value.shape, bytes: $0.value.bytes)
      }, to: mlx + "/model.safetensors")
    let expected = PackedError.unknownPacking(
      file: mlx + "/model.safetensors", tensor: SmallPack.up)
    #expect(throws: expected) { try unpack(mlx, to: pack.folder.path + "/unpacked") }
    #expect(try validate(mlx, against: pack.source).map(\.rule) == ["manifest_missing"])
  }

  @Test func bitsThatTheShapesContradictAreRefused() throws {
    try pack.editDocument(mlx + "/config.json") {
      $0["quantization"] = ["group_size": 32, "bits": 8]
    }
    let error = #expect(throws: PackedError.self) {
      try unpack(mlx, to: pack.folder.path + "/unpacked")
    }
    #expect(error?.rule == .tensorShape)
  }

  @Test func scalesThatAreNotFiniteAreFound() throws {
    let module = String(SmallPack.up.dropLast(".weight".count))
    let file = try NaiveFile(path: pack.oneFile)
    try writeSafetensors(
      file.tensors.sorted { $0.key < $1.key }.map { name, tensor in
        var bytes = tensor.bytes
        if name == module + ".scales" { bytes.replaceSubrange(0..<2, with: [0x80, 0x7F]) }
        return TestTensor(name, tensor.type, tensor.shape, bytes: bytes)
      }, to: mlx + "/model.safetensors")
    #expect(try validate(mlx, against: pack.source).map(\.rule) == ["not_finite"])
  }

  /// Damage of a packed source is not packed again, nor measured.
  @Test func damageIsNotPassedOn() throws {
    try pack.editBytes(pack.oneFile) { $0[$0.count - 5] ^= 1 }
    var options = ConversionOptions()
    options.requantizes = true
    let error = #expect(throws: PackedError.self) {
      try convert(pack.one, to: pack.folder.path + "/again", options: options)
    }
    #expect(error?.rule == .checksum)
    let run = try StatisticsRun(Checkpoint(path: pack.one), dumps: [], options: MeasureOptions())
    let found = #expect(throws: PackedError.self) { try run.run(RunContext(threads: 2)) }
    #expect(found?.rule == .checksum)
  }

  @Test func modesThatDoNotDecodeAreRefused() throws {
    try pack.editDocument(mlx + "/config.json") {
      $0["quantization"] = ["group_size": 32, "bits": 4, "mode": "mxfp4"]
    }
    var options = ConversionOptions()
    options.requantizes = true
    #expect(throws: PlanError.alreadyQuantized(path: mlx, method: "MLX, mode 'mxfp4'")) {
      try ConversionPlan(Checkpoint(path: mlx), options: options)
    }
  }
}
