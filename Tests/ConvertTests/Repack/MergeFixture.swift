import Formats
import Foundation
import Testing

@testable import Convert

/// Adapters that come with the tests; `Fixtures/README.md` says how each was made.
enum AdapterFixture {
  static func path(_ name: String) throws -> String {
    try #require(Bundle.module.resourcePath) + "/Fixtures/adapters/" + name
  }

  /// The repository's own samples.
  static let samples = samplesFolder

  /// Writes the sample model as `base`, packed in the form that the sample adapter was trained on.
  static func writePackedSample(in folder: TemporaryFolder) throws {
    try packedSample.get().write(to: folder.path)
  }

  private static let packedSample = Result<FolderContents, any Error> {
    try FolderContents {
      try convert(samples + "/small", to: $0.path("base"), options: .groups32)
    }
  }
}

/// Writes a packed file whose tensors come from elsewhere.
///
/// - Parameters:
///   - modules: for each module its layout and the three stored tensors.
///   - unnamed: tensors that the manifest leaves out.
func writePacked(
  _ modules: [(name: String, layout: AffineLayout, stored: [TestTensor])], raw: [TestTensor] = [],
  unnamed: [TestTensor] = [], to directory: String
) throws {
  try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
  // In decant's own order: what is merged and undone must be the same file again.
  let tensors = (modules.flatMap(\.stored) + raw + unnamed).sorted {
    ($1.dtype, $0.name) < ($0.dtype, $1.name)
  }
  func stored(_ tensor: TestTensor) -> Manifest.StoredTensor {
    .init(name: tensor.name, digest: Digest(of: tensor.bytes))
  }
  var entries = modules.map { module in
    let groups = module.stored[1].shape
    return Manifest.Entry(
      name: module.name + ".weight", layout: .affine(module.layout), method: "minmax",
      sourceDType: .f16,
      sourceShape: [UInt64(groups[0]), UInt64(groups[1] * module.layout.groupSize)],
      order: .outputMajor, stored: module.stored.map(stored),
      error: .init(squaredNorm: 1, squaredError: 0, largestError: 0), zeroedCount: 0)
  }
  entries += raw.map {
    Manifest.Entry(
      name: $0.name, layout: .plain, sourceDType: $0.dtype,
      sourceShape: $0.shape.map { UInt64($0) },
      order: .outputMajor, stored: [stored($0)], error: nil)
  }
  let manifest = Manifest(
    decantVersion: "test",
    tensors: entries.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) },
    sources: [], options: [:])
  var bytes = try safetensorsHeader(
    tensors,
    metadata: [
      (Manifest.headerChecksumKey, HeaderChecksum.placeholder),
      (Manifest.manifestKey, manifest.jsonText), ("format", "mlx"),
    ])
  HeaderChecksum.seal(&bytes)
  bytes += tensors.flatMap(\.bytes)
  try Data(bytes).write(to: URL(fileURLWithPath: directory + "/model.safetensors"))
}

/// Writes an adapter directory with these tensors (names without `base_model.model.`).
func writeAdapter(
  _ tensors: [TestTensor], config: String = #"{"peft_type": "LORA", "r": 2, "lora_alpha": 2}"#,
  to directory: String
) throws {
  try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
  try writeSafetensors(
    tensors.map {
      TestTensor("base_model.model." + $0.name, $0.dtype, $0.shape, bytes: $0.bytes)
    }, to: directory + "/adapter_model.safetensors")
  try Data(config.utf8).write(to: URL(fileURLWithPath: directory + "/adapter_config.json"))
}

/// Merges into a packed checkpoint and returns the result.
@discardableResult
func merge(
  _ packed: String, _ adapters: [AdapterRequest], pooling: PoolingConvention? = nil,
  biasType: ScaleType? = nil, to output: String, threads: Int = 2
) throws -> PackedMerger.Result {
  let merger = try PackedMerger(
    PackedCheckpoint(Checkpoint(path: packed)), AdapterSet(adapters, pooling: pooling),
    target: OutputTarget(path: output), biasType: biasType)
  return try merger.run(
    replacing: false, RunContext(threads: threads))
}

func undo(_ packed: String, to output: String) throws {
  let unmerger = try Unmerger(
    PackedCheckpoint(Checkpoint(path: packed)), target: OutputTarget(path: output))
  _ = try unmerger.run(
    replacing: false, RunContext(threads: 2))
}

extension Checkpoint {
  /// A tensor's bytes.
  func bytes(_ name: String) throws -> [UInt8] {
    let tensor = try #require(tensors.first { $0.name == name }, "no tensor '\(name)'")
    var bytes = [UInt8](repeating: 0, count: tensor.info.byteCount)
    try read(0..<bytes.count, of: tensor, into: &bytes)
    return bytes
  }

  func testTensor(_ name: String, as newName: String) throws -> TestTensor {
    let tensor = try #require(tensors.first { $0.name == name }, "no tensor '\(name)'")
    return TestTensor(
      newName, tensor.info.dtype, tensor.info.dimensions, bytes: try bytes(name))
  }
}

/// Exact weights `code * scale + bias` of a packed matrix, in `Double`, taken apart bit by bit.
func exactWeights(_ module: String, bits: Int, group: Int, in checkpoint: Checkpoint) throws
  -> [Double]
{
  let words = try checkpoint.bytes(module + ".weight")
  let scales = try values(module + ".scales", in: checkpoint)
  let biases = try values(module + ".biases", in: checkpoint)
  return (0..<scales.count * group).map { index in
    var code = 0
    for bit in 0..<bits {
      let place = index * bits + bit
      code |= Int(words[place / 8] >> (place % 8) & 1) << bit
    }
    return Double(code) * Double(scales[index / group]) + Double(biases[index / group])
  }
}
