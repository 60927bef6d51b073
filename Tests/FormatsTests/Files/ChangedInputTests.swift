import Formats
import Foundation
import Testing

@Suite struct ChangedInputTests {
  let directory: TemporaryDirectory
  private let path: String
  private let file: InputFile

  init() throws {
    directory = try TemporaryDirectory()
    path = try directory.write([1, 2, 3, 4], to: "file")
    // The clock of file times moves in steps of a few milliseconds.
    Thread.sleep(forTimeInterval: 0.03)
    file = try InputFile(path: path)
  }

  @Test func aFileThatIsOnlyReadIsUnchanged() throws {
    _ = try file.readAll(limit: 4)
    try file.checkUnchanged()
  }

  @Test func aFileRewrittenInPlaceWithTheSameSizeIsFound() throws {
    let writer = try #require(FileHandle(forWritingAtPath: path))
    try writer.write(contentsOf: Data([9, 9, 9, 9]))
    try writer.close()
    #expect(throws: FileError.changed(path: path)) { try file.checkUnchanged() }
    #expect(throws: FileError.changed(path: path)) { try file.readAll(limit: 4) }
  }

  @Test func timesPutBackDoNotHideIt() throws {
    let date = try #require(
      FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date)
    let writer = try #require(FileHandle(forWritingAtPath: path))
    try writer.write(contentsOf: Data([9]))
    try writer.close()
    try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: path)
    #expect(throws: FileError.changed(path: path)) { try file.checkUnchanged() }
  }

  @Test func anotherFileOfTheSameNameIsFound() throws {
    try directory.write([1, 2, 3, 4], to: "other")
    try FileManager.default.removeItem(atPath: path)
    try FileManager.default.moveItem(atPath: directory.path("other"), toPath: path)
    #expect(throws: FileError.changed(path: path)) { try file.checkUnchanged() }
  }

  @Test func aFileThatIsGoneIsFound() throws {
    try FileManager.default.removeItem(atPath: path)
    #expect(throws: FileError.changed(path: path)) { try file.checkUnchanged() }
  }
}
