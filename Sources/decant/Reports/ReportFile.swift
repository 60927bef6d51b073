import Convert
import Formats
import Foundation

/// A file that a report is written to: complete under its name, or not there at all.
struct ReportFile {
  private let staged: StagedOutput
  private let name: String

  /// Made before the measuring, so that a name that cannot be written to is refused at once.
  ///
  /// - Parameters:
  ///   - inputs: what the report is made from; it may neither be any of it nor lie in it.
  ///   - notice: called with what is no failure and should be known.
  /// - Throws: `OutputError.isSource`; `FileError` where the file exists and `replacing` is false,
  ///   where it is a directory, a link or a device, or where its directory cannot be written to.
  init(
    path: String, replacing: Bool, inputs: CommandInputs,
    notice: @escaping (OutputNotice) -> Void = { _ in }
  ) throws {
    try inputs.check(output: path)
    guard !FileStatus.isDirectory(path) else { throw FileError.isDirectory(path: path) }
    if FileStatus.exists(path), !FileStatus.isLink(path), !FileStatus.isRegular(path) {
      throw FileError.notRegular(path: path)
    }
    staged = try StagedOutput(target: path, replacing: replacing, notice: notice)
    name = URL(fileURLWithPath: path).lastPathComponent
  }

  /// Where the file is made by whoever writes it piece by piece; `finish` gives it its name.
  var temporaryPath: String { staged.directory + "/" + name }

  /// - Throws: `FileError`.
  func finish() throws(FileError) {
    do { try staged.commit(only: name) } catch { throw staged.named(error) }
  }

  /// - Throws: `FileError`.
  func write(_ text: String) throws(FileError) {
    let bytes = Array(text.utf8)
    do {
      let file = try OutputFile(creating: temporaryPath)
      try file.write(bytes, 0..<bytes.count, at: 0)
      try file.synchronize()
      try staged.commit(only: name)
    } catch {
      throw staged.named(error)
    }
  }
}

extension Arguments {
  /// The file that an option names, if it is given.
  ///
  /// - Throws: as `ReportFile.init`.
  func reportFile(
    _ long: String, inputs: CommandInputs, terminal: Terminal
  ) throws -> ReportFile? {
    try value(long).map { path in
      try ReportFile(path: path, replacing: flag("force"), inputs: inputs) { terminal.show($0) }
    }
  }
}
