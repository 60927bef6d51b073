import Formats
import Foundation
import Testing

/// What a killed run leaves beside its target, and the names under which outputs are built.
@Suite struct LeftoverTests {
  let directory: TemporaryDirectory
  private var target: String { directory.path("out") }

  init() throws { directory = try TemporaryDirectory() }

  /// Stages an output and gives it up again; returns what was said.
  @discardableResult
  private func stage(_ target: String, replacing: Bool = false) throws -> [OutputNotice] {
    var notices: [OutputNotice] = []
    let staged = try StagedOutput(target: target, replacing: replacing) { notices.append($0) }
    #expect(FileStatus.isDirectory(staged.directory))
    return notices
  }

  private func makeLeftover(_ name: String) throws -> String {
    try directory.makeDirectory(name + "/inner")
    try directory.write("half", to: name + "/inner/file")
    return directory.path(name)
  }

  @Test func itIsRemovedAndNamed() throws {
    let left = try makeLeftover(".out.decant-1x9z.partial")
    #expect(try stage(target) == [.removedLeftover(path: left)])
    #expect(try directory.entries == [])
  }

  @Test(arguments: [
    ".other.decant-1x9z.partial", ".out.decant-1x9z.partial.txt", ".out.decant-.partial",
    ".out.decant-b.decant-1x9z.partial", "out.decant-1x9z.partial", ".out.decant-1x9z",
  ])
  func whatIsNoneOfThisTargetStays(_ name: String) throws {
    _ = try makeLeftover(name)
    #expect(try stage(target) == [])
    #expect(try directory.entries == [name])
  }

  @Test func whatALiveRunBuildsStays() throws {
    let live = try StagedOutput(target: target, replacing: false)
    #expect(try stage(target) == [])
    let file = try OutputFile(creating: live.directory + "/file")
    try file.write([1], 0..<1, at: 0)
    try live.commit()
    #expect(try contents(of: target + "/file") == [1])
    #expect(try directory.entries == ["out"])
  }

  @Test func whatWasSetAsideIsKeptUnlessItsPlaceIsTaken() throws {
    let aside = try makeLeftover(".out.decant-1x9z.partial.old")
    #expect(try stage(target) == [.foundSetAside(path: aside, target: target)])
    #expect(try contents(of: aside + "/inner/file") == Array("half".utf8))
    try directory.makeDirectory("out")
    #expect(try stage(target, replacing: true) == [.removedLeftover(path: aside)])
    #expect(try directory.entries == ["out"])
  }

  @Test func aNameMayBeAsLongAsTheFileSystemAllows() throws {
    for length in [230, 231, 255] {
      let name = String(repeating: "é", count: length / 2) + (length % 2 == 1 ? "x" : "")
      try #require(name.utf8.count == length)
      let staged = try StagedOutput(target: directory.path(name), replacing: false)
      _ = try OutputFile(creating: staged.directory + "/file")
      try staged.commit()
      #expect(FileStatus.exists(directory.path(name) + "/file"))
    }
    let long = directory.path(String(repeating: "x", count: 256))
    #expect(throws: FileError.nameTooLong(path: long)) {
      try StagedOutput(target: long, replacing: false)
    }
  }

  @Test func longNamesThatBeginAlikeAreToldApart() throws {
    let start = String(repeating: "x", count: 240)
    let live = try StagedOutput(target: directory.path(start + "1"), replacing: false)
    let name = URL(fileURLWithPath: live.directory).lastPathComponent
    #expect(name.utf8.count <= 255)
    let other = try StagedOutput(target: directory.path(start + "2"), replacing: false)
    #expect(!other.directory.hasPrefix(live.directory.prefix(live.directory.count - 16)))
  }

  @Test func aMissingDirectoryIsNamedAsItWasTyped() throws {
    let path = directory.path("nosuch/dir/out")
    #expect(throws: FileError.missingDirectory(directory.path("nosuch/dir"), path: path)) {
      try StagedOutput(target: path, replacing: false)
    }
  }

  @Test(arguments: ["file", "nowhere"])
  func aLinkIsNotReplaced(_ destination: String) throws {
    try directory.write("precious", to: "file")
    try directory.makeLink("out", to: destination)
    for replacing in [false, true] {
      #expect(throws: FileError.isLink(path: target)) {
        try StagedOutput(target: target, replacing: replacing)
      }
    }
    #expect(try directory.entries == ["file", "out"])
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: target) == destination)
  }

  @Test func errorsNameTheTarget() throws {
    let staged = try StagedOutput(target: target, replacing: false)
    let inside = staged.directory + "/sub/file"
    let error = #expect(throws: FileError.self) { try OutputFile(creating: inside) }
    #expect(
      staged.named(try #require(error))
        == .failed(action: "create", path: target + "/sub/file", code: ENOENT))
    #expect(staged.named(.changed(path: "/elsewhere")) == .changed(path: "/elsewhere"))
  }
}
