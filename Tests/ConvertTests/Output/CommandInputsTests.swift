import Formats
import Foundation
import Testing

@testable import Convert

/// Outputs that would touch what is read, by whatever way it is reached.
@Suite struct CommandInputsTests {
  private let folder: TemporaryFolder
  private var source: String { folder.path + "/base/source" }

  init() throws {
    folder = try TemporaryFolder()
    try FileManager.default.createDirectory(
      atPath: folder.path + "/base/source/sub", withIntermediateDirectories: true)
    try folder.write("base/source/weights", [1, 2, 3])
    try folder.write("base/source/sub/vocabulary", [4])
  }

  private func isRefused(_ output: String, _ inputs: [String]? = nil) throws -> Bool {
    do {
      try CommandInputs(inputs ?? [source]).check(output: output)
      return false
    } catch OutputError.isSource(let named, let source) {
      #expect(named == output && (inputs ?? [self.source]).contains(source))
      return true
    }
  }

  @Test func theSourceWhatIsInItAndWhatHoldsIt() throws {
    for name in ["source", "source/new", "source/sub/new", "source/weights", "source/none/new", ""]
    {
      #expect(try isRefused(folder.path + "/base/" + name), "\(name)")
    }
    for name in ["base/other", "other", "base/source2", "base/sourc"] {
      #expect(try !isRefused(folder.path + "/" + name), "\(name)")
    }
  }

  @Test func aFileAloneProtectsItselfAndNotItsNeighbours() throws {
    let file = source + "/weights"
    #expect(try isRefused(file, [file]))
    #expect(try isRefused(source, [file]))
    #expect(try !isRefused(source + "/new", [file]))
    #expect(try !isRefused(source + "/sub", [file]))
  }

  @Test func linksAreSeenThrough() throws {
    let files = FileManager.default
    try files.createSymbolicLink(
      atPath: folder.path + "/way", withDestinationPath: "base/source")
    try files.linkItem(atPath: source + "/weights", toPath: folder.path + "/hard")
    for name in ["way", "way/new", "way/sub/new", "hard"] {
      #expect(try isRefused(folder.path + "/" + name), "\(name)")
    }
    // The blobs of a cache lie outside the directory that links to them.
    try folder.write("blob", [5])
    try files.createSymbolicLink(atPath: source + "/linked", withDestinationPath: "../../blob")
    #expect(try isRefused(folder.path + "/blob"))
    // A link to a directory does not make all of that directory an input.
    try files.createSymbolicLink(atPath: source + "/up", withDestinationPath: "../..")
    #expect(try !isRefused(folder.path + "/new"))
  }

  @Test(.enabled(if: BindMount.isPossible)) func mountsAreSeenThrough() throws {
    let home = try BindMount(of: folder.path + "/base", at: folder.path + "/mounted")
    defer { home.remove() }
    for name in ["source", "source/new", "source/sub", ""] {
      #expect(try isRefused(folder.path + "/mounted/" + name), "\(name)")
    }
    #expect(try !isRefused(folder.path + "/mounted/other"))
    let sub = try BindMount(of: source + "/sub", at: folder.path + "/deep")
    defer { sub.remove() }
    // A directory inside the source, seen from elsewhere.
    #expect(try isRefused(folder.path + "/deep/new"))
    // The source is seen through the mount, and the output holds it where it really is.
    #expect(try isRefused(source, [folder.path + "/deep"]))
  }
}

/// A directory that is seen under another name as well, which only root can arrange.
struct BindMount {
  let path: String

  static var isPossible: Bool {
    guard let folder = try? TemporaryFolder() else { return false }
    try? FileManager.default.createDirectory(
      atPath: folder.path + "/a", withIntermediateDirectories: false)
    guard let mount = try? BindMount(of: folder.path + "/a", at: folder.path + "/b") else {
      return false
    }
    mount.remove()
    return true
  }

  init(of directory: String, at path: String) throws {
    self.path = path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    guard try Self.run("mount", ["--bind", directory, path]) == 0 else {
      throw CocoaError(.fileNoSuchFile)
    }
  }

  func remove() { _ = try? Self.run("umount", [path]) }

  private static func run(_ name: String, _ arguments: [String]) throws -> Int32 {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [name] + arguments
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus
  }
}
