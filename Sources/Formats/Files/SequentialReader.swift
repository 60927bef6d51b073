/// Reads little-endian numbers and byte strings from a file in order, through a small window.
///
/// Every length is held against what is left before anything of that size is allocated.
struct SequentialReader {
  /// Fewer bytes are left than the next piece needs. Positions count from the start of the file.
  struct EndsEarly: Error {
    let position: Int
    let needed: UInt64
    let available: Int
  }

  private static let windowSize = 1 << 16

  /// Where the next piece begins, counted from the start of the file.
  private(set) var position = 0
  private let input: InputFile
  /// Reading stops here: at the end of the file, or sooner.
  private let end: Int
  private var window: [UInt8]
  /// The bytes of the file that the window holds, from its start on.
  private var windowRange = 0..<0

  /// - Parameter limit: the reader never goes beyond so many bytes of the file.
  init(_ input: InputFile, limit: Int = .max) {
    self.input = input
    end = min(input.byteCount, limit)
    window = [UInt8](repeating: 0, count: min(Self.windowSize, end))
  }

  var remaining: Int { end - position }

  /// - Throws: `EndsEarly`, or `FileError` where the file cannot be read.
  mutating func integer<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type) throws -> T {
    let size = MemoryLayout<T>.size
    try require(UInt64(size))
    try fillWindow(size)
    let value = window.span.loadLittleEndian(at: position - windowRange.lowerBound, as: T.self)
    position += size
    return value
  }

  /// - Throws: as `integer`.
  mutating func bytes(_ count: UInt64) throws -> [UInt8] {
    try require(count)
    var bytes = [UInt8](repeating: 0, count: Int(count))
    if bytes.count > window.count {
      try input.read(position..<position + bytes.count, into: &bytes)
    } else {
      try fillWindow(bytes.count)
      let start = position - windowRange.lowerBound
      bytes.replaceSubrange(0..., with: window[start..<start + bytes.count])
    }
    position += bytes.count
    return bytes
  }

  /// Steps over bytes and returns where they stand in the file.
  ///
  /// - Throws: `EndsEarly`.
  mutating func skip(_ count: UInt64) throws -> Range<Int> {
    try require(count)
    defer { position += Int(count) }
    return position..<position + Int(count)
  }

  /// Moves the window on unless it holds the next `count` bytes, which are there.
  private mutating func fillWindow(_ count: Int) throws(FileError) {
    if position >= windowRange.lowerBound, position + count <= windowRange.upperBound { return }
    let next = position..<position + min(window.count, remaining)
    try input.read(next, into: &window)
    windowRange = next
  }

  private func require(_ count: UInt64) throws {
    guard count <= UInt64(remaining) else {
      throw EndsEarly(position: position, needed: count, available: remaining)
    }
  }
}
