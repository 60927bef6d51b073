import Foundation
import Testing

@testable import Formats

@Suite struct DescriptorPoolTests {
  let directory: TemporaryDirectory
  private let pool = DescriptorPool(limit: 3)

  init() throws { directory = try TemporaryDirectory() }

  /// Files whose every byte is the file's number.
  private func inputs(_ count: Int) throws -> [InputFile] {
    try (0..<count).map { number in
      let bytes = [UInt8](repeating: UInt8(number), count: 100)
      return try InputFile(path: directory.write(bytes, to: "in\(number)"), pool: pool)
    }
  }

  @Test func manyThreadsReadManyFilesOfWhichFewAreOpen() throws {
    let files = try inputs(40)
    #expect(pool.openCount <= 3)
    let wrong = Counter()
    DispatchQueue.concurrentPerform(iterations: 8) { thread in
      var buffer = [UInt8](repeating: 0, count: 10)
      for round in 0..<400 {
        let number = (round * 7 + thread * 11) % files.count
        let isRead = (try? files[number].read(20..<30, into: &buffer)) != nil
        if !isRead || buffer != [UInt8](repeating: UInt8(number), count: 10) { wrong.add() }
      }
    }
    #expect(wrong.value == 0)
    #expect(pool.openCount <= 3)
  }

  @Test func whatIsOpenedAgainMustBeTheSameFile() throws {
    let files = try inputs(8)
    var buffer: [UInt8] = [0]
    // The first has long been closed.
    try FileManager.default.removeItem(atPath: files[0].path)
    #expect(throws: FileError.changed(path: files[0].path)) {
      try files[0].read(0..<1, into: &buffer)
    }
    try directory.write([UInt8](repeating: 0, count: 100), to: "in0")
    #expect(throws: FileError.changed(path: files[0].path)) {
      try files[0].read(0..<1, into: &buffer)
    }
    try files[1].read(0..<1, into: &buffer)
    #expect(buffer == [1])
  }

  @Test func outputsAreWrittenInTurns() throws {
    let files = try (0..<10).map {
      try OutputFile(creating: directory.path("out\($0)"), pool: pool)
    }
    for round in 0..<3 {
      for (number, file) in files.enumerated() {
        try file.write([UInt8(number), UInt8(round)], 0..<2, at: 2 * round)
      }
    }
    for file in files { try file.synchronize() }
    #expect(pool.openCount <= 3)
    for number in files.indices {
      let byte = UInt8(number)
      #expect(try contents(of: directory.path("out\(number)")) == [byte, 0, byte, 1, byte, 2])
    }
  }

  @Test func filesThatGoAwayAreClosed() throws {
    try {
      let files = try inputs(2)
      withExtendedLifetime(files) { #expect(pool.openCount == 2) }
    }()
    #expect(pool.openCount == 0)
  }

  @Test func anOutputThatSomebodyReplacedIsNotWrittenTo() throws {
    let file = try OutputFile(creating: directory.path("out"), pool: pool)
    _ = try inputs(5)
    // Made before the other is gone, so that it cannot get its inode.
    try directory.write("precious", to: "new")
    try FileManager.default.removeItem(atPath: file.path)
    try FileManager.default.moveItem(atPath: directory.path("new"), toPath: file.path)
    #expect(throws: FileError.changed(path: file.path)) { try file.write([1], 0..<1, at: 0) }
    #expect(try contents(of: file.path) == Array("precious".utf8))
  }
}

/// Counts from any thread.
private final class Counter: @unchecked Sendable {
  private let lock = NSLock()
  private var count = 0
  var value: Int { lock.withLock { count } }
  func add() { lock.withLock { count += 1 } }
}
