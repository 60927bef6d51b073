import Foundation
import Testing

/// Models of more files than a process may have open.
@Suite struct DescriptorLimitTests {
  private let folder: Folder

  init() throws { folder = try Folder() }

  /// A safetensors file with one matrix, written by hand.
  private func shard(_ number: Int) throws -> Data {
    let name = "model.layers.\(number).mlp.up_proj.weight"
    let header =
      #"{"\#(name)":{"dtype":"F16","shape":[32,64],"data_offsets":[0,4096]}}"#
    var data = Data((0..<8).map { UInt8(truncatingIfNeeded: header.utf8.count >> (8 * $0)) })
    data.append(Data(header.utf8))
    for index in 0..<2048 { data.append(contentsOf: [UInt8(index & 0xFF), 0x38]) }
    return data
  }

  @Test func sixtyShardsBecomeSixty() throws {
    let count = 60
    try folder.makeFolder("source")
    for number in 0..<count {
      let name = String(format: "model-%05d-of-%05d.safetensors", number + 1, count)
      try shard(number).write(to: URL(filePath: folder.path + "/source/" + name))
    }
    let script = """
      ulimit -n 100 && "$0" convert "$1/source" -o "$1/packed" --max-shard-size 1000B -q \
      && "$0" validate "$1/packed" --against "$1/source" -q \
      && "$0" unpack "$1/packed" -o "$1/plain" --max-shard-size 1000B -q
      """
    let result = try runTool("sh", ["-c", script, builtProgram, folder.path])
    #expect(result.status == 0, "\(result.error)\(result.output)")
    for name in ["packed", "plain"] {
      let files = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/" + name)
      #expect(files.filter { $0.hasSuffix("-of-00060.safetensors") }.count == count)
    }
  }
}
