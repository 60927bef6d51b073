import Formats
import Foundation

/// A file that a report is written to: complete under its name, or not there at all.
struct ReportFile {
  private let staged: StagedOutput
  private let name: String

  /// Made before the measuring, so that a name that cannot be written to is refused at once.
  ///
  /// - Throws: `FileError` where the file exists and `replacing` is false, where it is a directory,
  ///   or where its directory cannot be written to.
  init(path: String, replacing: Bool) throws(FileError) {
    guard !FileStatus.isDirectory(path) else { throw .isDirectory(path: path) }
    staged = try StagedOutput(target: path, replacing: replacing)
    name = URL(fileURLWithPath: path).lastPathComponent
  }

  /// - Throws: `FileError`.
  func write(_ text: String) throws(FileError) {
    let bytes = Array(text.utf8)
    let file = try OutputFile(creating: staged.directory + "/" + name)
    try file.write(bytes, count: bytes.count, at: 0)
    try file.synchronize()
    try staged.commit(only: name)
  }
}
