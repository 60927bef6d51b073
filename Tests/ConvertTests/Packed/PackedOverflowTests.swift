import Formats
import Foundation
import Testing

@testable import Convert

/// Shapes whose products overflow, in manifests and in files of MLX's own.
@Suite struct PackedOverflowTests {
  private static func path(_ name: String) throws -> String {
    try #require(Bundle.module.resourcePath) + "/Fixtures/damage/\(name).safetensors"
  }

  @Test func partsThatDoNotFitOneAnotherAreRefused() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/model.safetensors"
    try FileManager.default.copyItem(atPath: Self.path("mlx_overflow"), toPath: path)
    try folder.write(
      "config.json", Array(#"{"quantization": {"group_size": 64, "bits": 2}}"#.utf8))
    #expect(
      throws: PackedError.wrongTensor(
        file: path, tensor: "a.weight", shape: [1 << 62, 3, 0, 4], dtype: .u32,
        expectedShape: [4], expectedDTypes: [.u32])
    ) { try Inspection(Checkpoint(path: path)) }
  }

  @Test(arguments: ["p_huge_in_t", "p_transposed_overflow"])
  func entriesOfCountlessWeightsAreRefused(_ name: String) throws {
    let path = try Self.path(name)
    let damaged = PackedError.headerDamaged(file: path)
    #expect(throws: damaged) { try PackedCheckpoint(Checkpoint(path: path)) }
    #expect(throws: damaged) { try Inspection(Checkpoint(path: path)) }
    #expect(try validate(path).map(\.rule) == ["header_checksum", "tensor_size"])

    // With a header that is sealed it is the entry that is refused.
    let folder = try TemporaryFolder()
    let sealed = folder.path + "/model.safetensors"
    try FileManager.default.copyItem(atPath: path, toPath: sealed)
    try PackedEditor(sealed).write()
    for work in [
      { _ = try PackedCheckpoint(Checkpoint(path: sealed)) },
      { _ = try Inspection(Checkpoint(path: sealed)) },
      { try unpack(sealed, to: folder.path + "/out") },
    ] {
      let error = #expect(throws: PackedError.self, performing: work)
      #expect(error?.rule == .tensorSize && error?.tensor == "h.0.attn.c_attn.weight")
    }
    #expect(try validate(sealed).map(\.rule) == ["tensor_size"])
    #expect(!FileStatus.exists(folder.path + "/out"))
  }
}
