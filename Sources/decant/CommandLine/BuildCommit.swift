import Formats
import Foundation

/// The commit that a binary was built from, as it stands behind the binary's end.
///
/// SwiftPM hands nothing to a build, and a plugin would need git, outside of its sandbox, and build anew
/// with every commit. So whoever packages a binary appends the line `decant-commit: HASH`, which loaders
/// do not look at (`packaging/stage`). A binary of which nobody has said so is of no commit.
enum BuildCommit {
  private static let label = "decant-commit: "
  /// Enough for the label, a hash of SHA-256, and what may follow it.
  private static let lengthLimit = 128

  static var ofThisProgram: String? {
    Bundle.main.executablePath.flatMap { read(fromEndOf: $0) }
  }

  /// - Returns: the hash in hexadecimal digits, with `-dirty` where there were changes beside it; nil where
  ///   the file ends otherwise, or cannot be read.
  static func read(fromEndOf path: String) -> String? {
    guard let file = try? InputFile(path: path) else { return nil }
    let start = max(0, file.byteCount - lengthLimit)
    var bytes = [UInt8](repeating: 0, count: file.byteCount - start)
    guard (try? file.read(start..<file.byteCount, into: &bytes)) != nil else { return nil }
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    // The line's own end makes an empty one after it.
    guard lines.count > 2, lines.last?.isEmpty == true else { return nil }
    let line = String(decoding: lines[lines.count - 2], as: UTF8.self)
    guard line.hasPrefix(label) else { return nil }
    let commit = line.dropFirst(label.count)
    let hash = commit.hasSuffix("-dirty") ? commit.dropLast("-dirty".count) : commit
    guard (7...64).contains(hash.count),
      hash.allSatisfy({ $0.isASCII && $0.isHexDigit && !$0.isUppercase })
    else { return nil }
    return String(commit)
  }
}
