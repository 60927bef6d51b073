import Formats
import Foundation
import Stats
import Synchronization

/// Codes that take the place of those of a packed checkpoint, in a temporary file until they are written.
package final class LearnedCodes: Sendable {
  private let file: TemporaryFile
  private let state = Mutex(State())

  private struct State {
    var byteCount = 0
    var places: [String: Place] = [:]
  }

  struct Place {
    let range: Range<Int>
    let error: QuantizationError
  }

  /// - Throws: `FileError`.
  package init() throws(FileError) {
    file = try TemporaryFile(in: FileManager.default.temporaryDirectory.path(percentEncoded: false))
  }

  /// Adds a tensor's packed words.
  ///
  /// - Parameters:
  ///   - error: of the weights that they give.
  ///   - name: that of the manifest's entry.
  package func append(
    _ words: [UInt8], _ error: QuantizationError, of name: String
  ) throws(FileError) {
    let first = state.withLock { state in
      defer { state.byteCount += words.count }
      state.places[name] = Place(
        range: state.byteCount..<state.byteCount + words.count, error: error)
      return state.byteCount
    }
    try unsafe file.write(words.span.bytes, at: first)
  }

  /// Of the tensors whose codes it has.
  package var names: Set<String> { state.withLock { Set($0.places.keys) } }

  /// What each of them loses.
  package var errors: [String: QuantizationError] {
    state.withLock { $0.places.mapValues(\.error) }
  }

  func byteCount(of name: String) -> Int? { state.withLock { $0.places[name]?.range.count } }

  /// Reads bytes of a tensor's packed words.
  func read(_ range: Range<Int>, of name: String, into bytes: inout [UInt8]) throws(FileError) {
    guard let place = state.withLock({ $0.places[name]?.range }) else { return }
    var part = [UInt8](repeating: 0, count: range.count)
    var span = part.mutableSpan
    var raw = unsafe span.mutableBytes
    try file.read(into: &raw, at: place.lowerBound + range.lowerBound)
    bytes.replaceSubrange(0..<range.count, with: part)
  }
}

/// A tensor's packed words as they were learned.
struct LearnedWords: TensorProducer {
  let codes: LearnedCodes
  let name: String
  let parts: [SafetensorsLayout.Request]

  init(_ codes: LearnedCodes, name: String, stored: TensorInfo) {
    self.codes = codes
    self.name = name
    parts = [.init(name: stored.name, dtype: stored.dtype, shape: stored.shape)]
  }

  var reads: [ReadPart] { [] }

  func tiles() -> [Range<Int>] {
    Tiling.ranges(codes.byteCount(of: name) ?? 0, step: Tiling.byteCount)
  }

  func produce(_ range: Range<Int>, in slot: ProducerSlot) throws {
    slot.preparePieces([(range.lowerBound, range.count)])
    try codes.read(range, of: name, into: &slot.pieces[0].bytes)
  }
}
