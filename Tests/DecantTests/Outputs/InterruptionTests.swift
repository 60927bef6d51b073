import Foundation
import Testing

/// Signals that reach a conversion in its middle.
@Suite struct InterruptionTests {
  private let folder: Folder

  init() throws {
    folder = try Folder()
    // Zeros that take no space, and far longer to quantize than the test waits.
    let rows = 1 << 19
    let byteCount = rows * 1024 * 2
    let header =
      #"{"model.layers.0.mlp.up_proj.weight":{"dtype":"F16","shape":[\#(rows),1024],"data_offsets":[0,\#(byteCount)]}}"#
    var data = Data((0..<8).map { UInt8(truncatingIfNeeded: header.utf8.count >> (8 * $0)) })
    data.append(Data(header.utf8))
    let path = folder.path + "/model.safetensors"
    try data.write(to: URL(filePath: path))
    let file = try FileHandle(forWritingTo: URL(filePath: path))
    try file.truncate(atOffset: UInt64(data.count + byteCount))
    try file.close()
  }

  private func entries() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
  }

  @Test(
    .timeLimit(.minutes(2)),
    arguments: [
      (SIGHUP, "SIGHUP", 129), (SIGINT, "SIGINT", 130), (SIGQUIT, "SIGQUIT", 131),
      (SIGTERM, "SIGTERM", 143),
    ])
  func cleansUpAndSaysSo(_ signal: Int32, _ name: String, _ status: Int32) throws {
    let process = Process()
    process.executableURL = URL(filePath: builtProgram)
    process.arguments = [
      "convert", folder.path + "/model.safetensors", "-o", folder.path + "/out",
    ]
    let error = Pipe()
    process.standardOutput = FileHandle.nullDevice
    process.standardError = error
    try process.run()
    while try !entries().contains(where: { $0.hasSuffix(".partial") }) {
      try #require(process.isRunning)
      Thread.sleep(forTimeInterval: 0.01)
    }
    kill(process.processIdentifier, signal)
    process.waitUntilExit()
    let text = String(
      decoding: try error.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    #expect(process.terminationReason == .exit)
    #expect(process.terminationStatus == status)
    #expect(text == "error: interrupted by \(name) before it was done; nothing was written\n")
    #expect(try entries() == ["model.safetensors"])
  }
}
