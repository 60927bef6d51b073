import Convert
import Formats
import Foundation
import Testing

@testable import decant

@Suite struct ReportFileTests {
  private let folder: Folder

  init() throws { folder = try Folder() }

  private var path: String { folder.path + "/page.html" }

  private func entries() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path)
  }

  @Test func appearsWhenItIsComplete() throws {
    try {
      let file = try ReportFile(path: path, replacing: false, inputs: CommandInputs([]))
      #expect(!FileStatus.exists(path))
      try file.write("complete")
    }()
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "complete")
    #expect(try entries() == ["page.html"])
  }

  @Test func refusesWhatExistsBeforeAnythingIsMeasured() throws {
    try folder.write("page.html", "precious")
    #expect(throws: FileError.alreadyExists(path: path)) {
      try ReportFile(path: path, replacing: false, inputs: CommandInputs([]))
    }
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "precious")
    #expect(try entries() == ["page.html"])
  }

  @Test func replacesOnlyAtTheEnd() throws {
    try folder.write("page.html", "old")
    try {
      _ = try ReportFile(path: path, replacing: true, inputs: CommandInputs([]))
      #expect(try String(contentsOfFile: path, encoding: .utf8) == "old")
    }()
    #expect(try entries() == ["page.html"])
    try ReportFile(path: path, replacing: true, inputs: CommandInputs([])).write("new")
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "new")
  }

  @Test func aDirectoryIsNoFile() throws {
    #expect(throws: FileError.isDirectory(path: folder.path)) {
      try ReportFile(path: folder.path, replacing: true, inputs: CommandInputs([]))
    }
  }
}
