import Foundation

/// The files of a folder, kept in memory: what takes long to make is made once, and every test gets a
/// copy of its own that it may damage.
package struct FolderContents: Sendable {
  private let files: [(name: String, bytes: [UInt8])]

  /// What a folder holds after `make`.
  package init(_ make: (TemporaryFolder) throws -> Void) throws {
    let folder = try TemporaryFolder()
    try make(folder)
    files = try folder.entries.filter { !isFolder(folder.path($0)) }.map {
      ($0, try folder.bytes($0))
    }
  }

  package func write(to directory: String) throws {
    for (name, bytes) in files {
      let url = URL(filePath: directory + "/" + name)
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(bytes).write(to: url)
    }
  }
}

private func isFolder(_ path: String) -> Bool {
  let values = try? URL(filePath: path).resourceValues(forKeys: [.isDirectoryKey])
  return values?.isDirectory == true
}
