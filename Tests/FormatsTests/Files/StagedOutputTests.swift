import Formats
import Testing

@Suite struct StagedOutputTests {
  let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  /// Stages a directory with one file in it, and commits it.
  private func publish(_ bytes: [UInt8], replacing: Bool, only: String? = nil) throws {
    let output = try StagedOutput(target: directory.path("out"), replacing: replacing)
    let file = try OutputFile(creating: output.directory + "/file")
    try file.write(bytes, 0..<bytes.count, at: 0)
    try output.commit(only: only)
  }

  @Test func nothingIsLeftOfAnUncommittedOutput() throws {
    try {
      let output = try StagedOutput(target: directory.path("out"), replacing: false)
      _ = try OutputFile(creating: output.directory + "/file")
      #expect(try directory.entries.count == 1)
      #expect(!FileStatus.exists(directory.path("out")))
    }()
    #expect(try directory.entries == [])
  }

  @Test func commitGivesTheDirectoryItsName() throws {
    try publish([1, 2], replacing: false)
    #expect(try directory.entries == ["out"])
    #expect(try contents(of: directory.path("out/file")) == [1, 2])
  }

  @Test func commitOfOneFileGivesItTheName() throws {
    try publish([1, 2], replacing: false, only: "file")
    #expect(try directory.entries == ["out"])
    #expect(try contents(of: directory.path("out")) == [1, 2])
  }

  @Test func whatExistsIsNotTouchedUnasked() throws {
    try directory.write("precious", to: "out")
    let target = directory.path("out")
    #expect(throws: FileError.alreadyExists(path: target)) {
      try StagedOutput(target: target, replacing: false)
    }
    #expect(try directory.entries == ["out"])
    #expect(try contents(of: target) == Array("precious".utf8))
  }

  @Test(arguments: [nil, "file"])
  func whatAppearsMeanwhileIsNotTouchedEither(_ only: String?) throws {
    let target = directory.path("out")
    try {
      let output = try StagedOutput(target: target, replacing: false)
      _ = try OutputFile(creating: output.directory + "/file")
      try directory.write("precious", to: "out")
      #expect(throws: FileError.alreadyExists(path: target)) { try output.commit(only: only) }
    }()
    #expect(try directory.entries == ["out"])
    #expect(try contents(of: target) == Array("precious".utf8))
  }

  @Test func replacingPutsTheNewDirectoryInPlaceOfTheOld() throws {
    try publish([1], replacing: false)
    try directory.write([0], to: "out/left over")
    try publish([2], replacing: true)
    #expect(try directory.entries == ["out"])
    #expect(!FileStatus.exists(directory.path("out/left over")))
    #expect(try contents(of: directory.path("out/file")) == [2])
  }

  @Test func replacingPutsTheNewFileInPlaceOfTheOld() throws {
    try publish([1], replacing: false, only: "file")
    try publish([2], replacing: true, only: "file")
    #expect(try directory.entries == ["out"])
    #expect(try contents(of: directory.path("out")) == [2])
  }

  @Test func writesGoWhereTheyAreAskedTo() throws {
    let path = directory.path("file")
    let file = try OutputFile(creating: path)
    try file.write([4, 5, 6], 0..<2, at: 3)
    try file.write([1], 0..<1, at: 0)
    try file.synchronize()
    #expect(try contents(of: path) == [1, 0, 0, 4, 5])
    #expect(throws: FileError.self) { try OutputFile(creating: path) }
  }
}
