import Formats
import Foundation

/// The least that a command can do: read its input, write as many bytes as its output has, and put
/// them on the disk. One thread, blocks of 1 MB, and a process of its own, as the command is one.
struct Floor {
  /// The first argument of a process that is a floor.
  static let mode = "floor"

  /// How many bytes to read of each file, from its start.
  var reads: [(path: String, byteCount: Int)] = []
  var writtenByteCount = 0
  /// Where to write them.
  var output = ""

  var arguments: [String] {
    [Self.mode, output, "\(writtenByteCount)"] + reads.flatMap { [$0.path, "\($0.byteCount)"] }
  }

  init() {}

  /// - Parameter arguments: those of a process, without the mode.
  init(arguments: [String]) throws {
    guard arguments.count >= 2, arguments.count % 2 == 0 else {
      throw BenchmarkError("a floor is an output, its size, and files with theirs")
    }
    output = arguments[0]
    writtenByteCount = Int(arguments[1]) ?? 0
    reads = stride(from: 2, to: arguments.count, by: 2).map {
      (arguments[$0], Int(arguments[$0 + 1]) ?? 0)
    }
  }

  func run() throws {
    let size = InputFile.blockSize
    for read in reads {
      try InputFile(path: read.path).forEachBlock(of: 0..<read.byteCount) { _, _ in }
    }
    guard writtenByteCount > 0 else { return }
    // Not zeros, which a file system may leave out.
    let block = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let file = try OutputFile(creating: output)
    for start in stride(from: 0, to: writtenByteCount, by: size) {
      try file.write(block, 0..<min(size, writtenByteCount - start), at: start)
    }
    try file.synchronize()
  }
}
