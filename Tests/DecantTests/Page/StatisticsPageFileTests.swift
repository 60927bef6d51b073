import Formats
import Foundation
import Testing

@testable import decant

@Suite struct StatisticsPageFileTests {
  private let folder: Folder

  init() throws { folder = try Folder() }

  private var path: String { folder.path + "/page.html" }

  private func entries() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path)
  }

  @Test func appearsWhenItIsComplete() throws {
    let measured = try measureTinyModel()
    try {
      let file = try StatisticsPageFile(path: path, replacing: false)
      #expect(!FileStatus.exists(path))
      try file.write(measured)
    }()
    let written = try String(contentsOfFile: path, encoding: .utf8)
    let isThePage = written == StatisticsPage(measured).html
    #expect(isThePage)
    #expect(try entries() == ["page.html"])
  }

  @Test func refusesWhatExistsBeforeAnythingIsMeasured() throws {
    try folder.write("page.html", "precious")
    #expect(throws: FileError.alreadyExists(path: path)) {
      try StatisticsPageFile(path: path, replacing: false)
    }
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "precious")
    #expect(try entries() == ["page.html"])
  }

  @Test func replacesOnlyAtTheEnd() throws {
    try folder.write("page.html", "old")
    try {
      _ = try StatisticsPageFile(path: path, replacing: true)
      #expect(try String(contentsOfFile: path, encoding: .utf8) == "old")
    }()
    #expect(try entries() == ["page.html"])
    try StatisticsPageFile(path: path, replacing: true).write(measureTinyModel())
    #expect(try String(contentsOfFile: path, encoding: .utf8).hasPrefix("<!DOCTYPE html>"))
  }

  @Test func aDirectoryIsNoPage() throws {
    #expect(throws: FileError.isDirectory(path: folder.path)) {
      try StatisticsPageFile(path: folder.path, replacing: true)
    }
  }
}
