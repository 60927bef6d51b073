import Formats
import Foundation
import Testing

@Suite struct InputFileTests {
  let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  @Test func aDirectoryIsNoFile() throws {
    #expect(throws: FileError.isDirectory(path: directory.path)) {
      try InputFile(path: directory.path)
    }
  }

  @Test func aMissingFileIsMissing() throws {
    let path = directory.path("none")
    #expect(throws: FileError.missing(path: path)) { try InputFile(path: path) }
  }

  @Test func aDanglingLinkIsToldFromAMissingFile() throws {
    try directory.makeLink("link", to: "nowhere")
    let path = directory.path("link")
    #expect(throws: FileError.danglingLink(path: path)) { try InputFile(path: path) }
  }

  @Test(.timeLimit(.minutes(1)))
  func aPipeIsRefusedWithoutWaitingForItsWriter() throws {
    let path = directory.path("pipe")
    // Unsafe only because the path is passed as a C string.
    try #require(unsafe mkfifo(path, 0o600) == 0)
    #expect(throws: FileError.notRegular(path: path)) { try InputFile(path: path) }
  }

  @Test func aFileThroughALinkIsRead() throws {
    try directory.write([1, 2, 3], to: "file")
    try directory.makeLink("link", to: "file")
    let file = try InputFile(path: directory.path("link"))
    #expect(try file.readAll(limit: 3) == [1, 2, 3])
  }

  @Test func readsGoWhereTheyAreAskedTo() throws {
    let file = try InputFile(path: directory.write(Array(0..<100), to: "file"))
    var buffer: [UInt8] = [9, 9, 9, 9, 9]
    try file.read(50..<53, into: &buffer, at: 1)
    #expect(buffer == [9, 50, 51, 52, 9])
  }

  @Test func aFileAboveTheLimitIsNotRead() throws {
    let path = try directory.write([1, 2, 3], to: "file")
    #expect(throws: FileError.tooLarge(path: path, byteCount: 3, limit: 2)) {
      try InputFile(path: path).readAll(limit: 2)
    }
  }

  @Test func aFileCutShortAfterOpeningIsAnErrorAndNoCrash() throws {
    let path = try directory.write(safetensors(Damage.header, data: Damage.data), to: "cut")
    let file = try SafetensorsFile(path: path)
    let writer = try #require(FileHandle(forWritingAtPath: path))
    try writer.truncate(atOffset: 114)
    try writer.close()
    let tensor = try file.tensor("a")
    var buffer: [UInt8] = [0, 0]
    // One byte of the two is still there.
    #expect(throws: FileError.truncated(path: path, offset: 114, needed: 1, available: 0)) {
      try file.read(0..<2, of: tensor, into: &buffer)
    }
    #expect(buffer == [1, 0])
  }

  @Test func anEmptyFileIsTooShort() throws {
    let path = try directory.write([], to: "empty.safetensors")
    let error = #expect(throws: SafetensorsError.self) { try SafetensorsFile(path: path) }
    #expect(error?.violation == .tooShort(byteCount: 0))
    #expect(error?.file == path)
  }
}
