import Testing

@testable import Formats

@Suite struct ModelFolderTests {
  @Test func findsDirectoriesFilesAndWhatIsOneLevelDeeper() throws {
    let folder = try TemporaryFolder()
    for name in ["plain", "org/named", "org/empty", "a/b/too-deep", ".hidden", "loose"] {
      try folder.makeFolder(name)
    }
    for name in ["plain", "org/named", "a/b/too-deep", ".hidden"] {
      try folder.write("{}", to: name + "/config.json")
    }
    try folder.write("", to: "loose/out.safetensors")
    try folder.write("", to: "single.safetensors")
    try folder.write("", to: "notes.txt")
    try folder.makeLink("a/loop", to: folder.path("a"))
    #expect(
      try ModelFolder(path: folder.path).models()
        == ["loose", "org/named", "plain", "single.safetensors"].map(folder.path))
    // A folder that is a model itself is that one.
    let model = folder.path("plain")
    try folder.makeFolder("plain/inside")
    try folder.write("{}", to: "plain/inside/config.json")
    #expect(try ModelFolder(path: model).models() == [model])
  }

  @Test func aFolderThatIsNotThereIsAnError() throws {
    let folder = try TemporaryFolder()
    #expect(throws: FileError.missing(path: folder.path("missing"))) {
      try ModelFolder(path: folder.path("missing")).models()
    }
  }
}
