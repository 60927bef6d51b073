import Formats
import Foundation

/// The file that a page is written to. It appears under its name only when it is complete.
struct StatisticsPageFile {
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
  func write(_ measured: MeasuredModel) throws(FileError) {
    let bytes = Array(StatisticsPage(measured).html.utf8)
    let file = try OutputFile(creating: staged.directory + "/" + name)
    try file.write(bytes, count: bytes.count, at: 0)
    try file.synchronize()
    try staged.commit(only: name)
  }
}
