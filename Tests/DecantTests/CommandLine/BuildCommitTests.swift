import Testing

@testable import decant

@Suite struct BuildCommitTests {
  @Test(arguments: [
    ("ELF...\ndecant-commit: 0123abc\n", "0123abc"),
    ("ELF...\ndecant-commit: 0123abc-dirty\n", "0123abc-dirty"),
    (
      "\ndecant-commit: " + String(repeating: "f", count: 64) + "\n",
      String(repeating: "f", count: 64)
    ),
    // Of two the last one holds.
    ("\ndecant-commit: 0123abc\n\ndecant-commit: 4567def\n", "4567def"),
    // Neither its own line, nor the last one, nor whole, nor a hash.
    ("ELF decant-commit: 0123abc\n", nil),
    ("\ndecant-commit: 0123abc\nmore\n", nil),
    ("\ndecant-commit: 0123abc", nil),
    ("\ndecant-commit: 0123ab\n", nil),
    ("\ndecant-commit: 0123abg\n", nil),
    ("\ndecant-commit: \u{1b}[31m0123abc\n", nil),
    ("\ndecant-commit: " + String(repeating: "f", count: 65) + "\n", nil),
    ("", nil),
  ])
  func isTheLastLine(_ content: String, commit: String?) throws {
    let folder = try Folder()
    try folder.write(String(repeating: "x", count: 300) + content, to: "binary")
    #expect(BuildCommit.read(fromEndOf: folder.path("binary")) == commit)
  }

  @Test func whatCannotBeReadHasNone() throws {
    let folder = try Folder()
    try folder.write("short", to: "binary")
    #expect(BuildCommit.read(fromEndOf: folder.path("binary")) == nil)
    #expect(BuildCommit.read(fromEndOf: folder.path("missing")) == nil)
    #expect(BuildCommit.read(fromEndOf: folder.path) == nil)
  }
}
