import Formats
import Testing

/// What downloads leave in place of a weight file.
@Suite struct SourceTriageTests {
  let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func expect(
    _ bytes: [UInt8], _ error: (String) -> SourceError,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let path = try directory.write(bytes, to: "model.safetensors")
    #expect(throws: error(path), sourceLocation: sourceLocation) { try SourceTriage.open(path) }
    #expect(throws: error(path), sourceLocation: sourceLocation) {
      try Checkpoint(path: directory.path)
    }
  }

  @Test func aGitLFSPointerIsNamedWithTheSizeItStandsFor() throws {
    let pointer = """
      version https://git-lfs.github.com/spec/v1
      oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393
      size 12345

      """
    try expect(Array(pointer.utf8)) { .gitLFSPointer(path: $0, byteCount: "12345") }
    try expect(Array(pointer.prefix(60).utf8)) { .gitLFSPointer(path: $0, byteCount: nil) }
  }

  @Test(arguments: ["<!DOCTYPE html><html>", "\n  <html lang=\"en\">", "<!doctype HTML>"])
  func aWebPageIsNamed(_ page: String) throws {
    try expect(Array(page.utf8)) { .webPage(path: $0) }
  }

  @Test(arguments: [[0x50, 0x4B, 0x03, 0x04, 0, 0], [0x80, 0x02, 0x8A, 0x0A]] as [[UInt8]])
  func aPickleIsNamed(_ start: [UInt8]) throws {
    try expect(start) { .pickle(path: $0) }
  }

  @Test func aValidFileIsOpened() throws {
    let path = try directory.write(shard("a"), to: "model.safetensors")
    #expect(try SourceTriage.open(path).header.tensors.map(\.name) == ["a"])
  }

  /// 640 bytes of header: its length field begins like a pickle of protocol 2.
  @Test func aHeaderWhoseLengthLooksLikeAPickleIsOpened() throws {
    let header = Array("{}".utf8) + [UInt8](repeating: 0x20, count: 0x0280 - 2)
    let path = try directory.write(safetensors(header), to: "model.safetensors")
    #expect(try SourceTriage.open(path).header.dataOffset == 648)
  }

  @Test func whatIsNeitherIsLeftToTheReader() throws {
    let path = try directory.write("hello", to: "model.safetensors")
    let error = #expect(throws: SafetensorsError.self) { try SourceTriage.open(path) }
    #expect(error?.violation == .tooShort(byteCount: 5))
  }
}
