import Formats
import Foundation

/// Hidden states of all tokens of a batch between two layers: in memory, or in a temporary file.
final class HiddenStates {
  let tokens: Int
  let features: Int
  private let place: Place

  private enum Place {
    case memory(Activations)
    case file(TemporaryFile)
  }

  /// - Parameter limit: numbers that may be in memory.
  /// - Throws: `FileError`.
  init(tokens: Int, features: Int, limit: Int) throws(FileError) {
    self.tokens = tokens
    self.features = features
    if tokens <= limit / max(1, features) {
      place = .memory(Activations(tokens: tokens, features: features))
    } else {
      place = .file(
        try TemporaryFile(
          in: FileManager.default.temporaryDirectory.path(percentEncoded: false)))
    }
  }

  /// Those of consecutive tokens.
  ///
  /// - Throws: `FileError`.
  func rows(_ range: Range<Int>) throws(FileError) -> Activations {
    switch place {
    case .memory(let all): return all.rows(range)
    case .file(let file):
      let rows = Activations(tokens: range.count, features: features)
      try read(range.lowerBound, from: file, into: &rows.values)
      return rows
    }
  }

  /// Those of some tokens, in the order of the list.
  ///
  /// - Throws: `FileError`.
  func rows(_ list: [Int]) throws(FileError) -> Activations {
    switch place {
    case .memory(let all): return all.rows(list)
    case .file:
      let rows = Activations(tokens: list.count, features: features)
      var place = 0
      while place < list.count {
        // Those that follow each other are read together.
        var end = place + 1
        while end < list.count, list[end] == list[end - 1] + 1 { end += 1 }
        rows.replaceRows(from: place, with: try self.rows(list[place]..<list[end - 1] + 1))
        place = end
      }
      return rows
    }
  }

  /// - Throws: `FileError`.
  func replaceRows(from first: Int, with rows: Activations) throws(FileError) {
    switch place {
    case .memory(let all): all.replaceRows(from: first, with: rows)
    case .file(let file):
      let values = rows.values
      try unsafe file.write(values.span.bytes, at: first * byteCount)
    }
  }

  /// - Parameter limit: numbers that may be in memory.
  /// - Throws: `FileError`.
  func copy(limit: Int) throws(FileError) -> HiddenStates {
    let copy = try HiddenStates(tokens: tokens, features: features, limit: limit)
    let step = max(1, Self.copiedAtOnce / max(1, features))
    for first in stride(from: 0, to: tokens, by: step) {
      try copy.replaceRows(from: first, with: rows(first..<min(first + step, tokens)))
    }
    return copy
  }

  private static let copiedAtOnce = 1 << 20

  private func read(
    _ first: Int, from file: TemporaryFile, into values: inout [Float]
  ) throws(FileError) {
    var span = values.mutableSpan
    var bytes = unsafe span.mutableBytes
    try file.read(into: &bytes, at: first * byteCount)
  }

  /// Of a token.
  private var byteCount: Int { features * MemoryLayout<Float>.size }
}
