import Foundation

/// A folder that goes away with everything in it, also where a measurement is interrupted.
struct Scratch: ~Copyable {
  let path: String

  /// - Parameter parent: nil for the system's folder for such things.
  init(in parent: String?) throws {
    let parent = parent ?? FileManager.default.temporaryDirectory.path
    let tag = String(UInt32.random(in: 0...UInt32.max), radix: 36)
    path = parent + "/decant-benchmarks-" + tag
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    // The child takes the interruption; this process learns of it, and clears up. A handler, since
    // children would inherit it if the signal were ignored.
    signal(SIGINT) { _ in }
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// - Throws: `BenchmarkError` where fewer bytes are free.
  func require(_ byteCount: Int) throws {
    let system = try FileManager.default.attributesOfFileSystem(forPath: path)
    guard let free = (system[.systemFreeSize] as? NSNumber)?.intValue, free < byteCount else {
      return
    }
    throw BenchmarkError(
      "\(ByteCount(bytes: byteCount).text) are needed in \(path), "
        + "\(ByteCount(bytes: free).text) are free")
  }
}
