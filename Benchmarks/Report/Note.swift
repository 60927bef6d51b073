import Foundation

/// What is no result: it goes to standard error.
enum Note {
  static func write(_ text: String) {
    FileHandle.standardError.write(Data((text + "\n").utf8))
  }
}
