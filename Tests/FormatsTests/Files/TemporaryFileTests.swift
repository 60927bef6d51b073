import Formats
import Foundation
import Testing

@Suite struct TemporaryFileTests {
  private func write(_ numbers: [Float], to file: TemporaryFile, at offset: Int) throws {
    try unsafe file.write(numbers.span.bytes, at: offset)
  }

  private func read(_ count: Int, of file: TemporaryFile, at offset: Int) throws -> [Float] {
    var numbers = [Float](repeating: .nan, count: count)
    var span = numbers.mutableSpan
    var bytes = unsafe span.mutableBytes
    try file.read(into: &bytes, at: offset)
    return numbers
  }

  @Test func givesBackWhatWasWrittenAndHasNoName() throws {
    let folder = try TemporaryDirectory()
    let file = try TemporaryFile(in: folder.path)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    try write([1, 2, 3], to: file, at: 8)
    try write([7], to: file, at: 0)
    try write([9], to: file, at: 12)
    #expect(try read(5, of: file, at: 0) == [7, 0, 1, 9, 3])
    #expect(try read(0, of: file, at: 20).isEmpty)
    #expect(throws: FileError.self) { try read(2, of: file, at: 16) }
  }

  @Test func aFolderThatIsNotThereIsNamed() throws {
    let folder = try TemporaryDirectory()
    let error = try #require(throws: FileError.self) {
      try TemporaryFile(in: folder.path + "/none")
    }
    #expect(error.message.contains(folder.path + "/none"))
  }
}
