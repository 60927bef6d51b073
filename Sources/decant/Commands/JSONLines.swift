import Formats
import Model

/// Reads JSONL files: a JSON document in every line.
enum JSONLines {
  struct Line {
    let json: JSONValue
    let path: String
    /// From 1.
    let number: Int

    func error(_ reason: String) -> JSONLineError {
      JSONLineError(path: path, line: number, reason: reason)
    }
  }

  /// Calls with each line as soon as it is read.
  ///
  /// - Throws: `JSONLineError` for a line that is no JSON or too long, `FileError`, what `read` throws.
  static func forEach(of path: String, _ read: (Line) throws -> Void) throws {
    let file = try InputFile(path: path)
    var line: [UInt8] = []
    var number = 0
    try file.forEachBlock(of: 0..<file.byteCount) { bytes, count in
      var rest = bytes[..<count]
      while let end = rest.firstIndex(of: 0x0A) {
        line += rest[..<end]
        rest = rest[(end + 1)...]
        number += 1
        try read(parsed(line, path: path, number: number))
        line.removeAll(keepingCapacity: true)
      }
      line += rest
      guard line.count <= Tokenizer.longestText else {
        throw JSONLineError(path: path, line: number + 1, reason: "the line is too long")
      }
    }
    if !line.isEmpty { try read(parsed(line, path: path, number: number + 1)) }
    try file.checkUnchanged()
  }

  private static func parsed(_ bytes: [UInt8], path: String, number: Int) throws -> Line {
    do {
      return Line(json: try JSONValue(parsing: bytes), path: path, number: number)
    } catch let fault as JSONError {
      throw JSONLineError(
        path: path, line: number, reason: "\(fault.reason) (byte \(fault.offset) of the line)")
    }
  }
}

/// What is wrong with a line of a JSONL file. Lines count from 1.
struct JSONLineError: DescribedError, Equatable {
  let path: String
  let line: Int
  let reason: String

  var message: String { "\(path), line \(line): \(reason)" }
  var hint: String? { nil }
}
