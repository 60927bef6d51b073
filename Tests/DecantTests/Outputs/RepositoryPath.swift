import Foundation

/// A file of this repository, by its path from the root.
func repositoryPath(_ name: String) -> String {
  URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: name)
    .path(percentEncoded: false)
}
