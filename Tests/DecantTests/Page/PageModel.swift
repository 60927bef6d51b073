import Convert
import Formats
import Foundation

@testable import decant

/// A tensor of a file that a test writes, as F32.
struct PageTensor {
  let name: String
  let shape: [Int]
  let values: [Float]
}

/// The bytes of a safetensors file, by the format's description: length of the header, header, data.
func safetensors(_ tensors: [PageTensor]) throws -> Data {
  var header: [String: Any] = [:]
  var data = Data()
  for tensor in tensors {
    let start = data.count
    for value in tensor.values {
      withLittleEndianBytes(value.bitPattern) { data.append(contentsOf: $0) }
    }
    header[tensor.name] = [
      "dtype": "F32", "shape": tensor.shape, "data_offsets": [start, data.count],
    ]
  }
  let json = try JSONSerialization.data(withJSONObject: header, options: .sortedKeys)
  var file = Data()
  withLittleEndianBytes(UInt64(json.count)) { file.append(contentsOf: $0) }
  return file + json + data
}

private func withLittleEndianBytes<T: FixedWidthInteger>(_ value: T, _ put: ([UInt8]) -> Void) {
  put((0..<T.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) })
}

let samplePath = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent().deletingLastPathComponent().appending(path: "samples/small")
  .path(percentEncoded: false)

func measure(
  _ path: String, dumps: [String] = [], threads: Int = 2, keepsGoing: Bool = false
) throws -> MeasuredModel {
  var options = MeasureOptions()
  options.keepsGoing = keepsGoing
  let run = try StatisticsRun(Checkpoint(path: path), dumps: dumps, options: options)
  let tensors = try run.run(threads: threads, cancellation: Cancellation(), progress: { _ in })
  return MeasuredModel(run, tensors: tensors)
}

let tinyModule = "model.layers.0.self_attn.q_proj"

/// A model of one matrix, for tests that need any.
func measureTinyModel(dumps: [String] = [], keepsGoing: Bool = false) throws -> MeasuredModel {
  let folder = try Folder()
  return try withExtendedLifetime(folder) {
    let path = folder.path + "/model.safetensors"
    let weight = PageTensor(
      name: tinyModule + ".weight", shape: [2, 64], values: (0..<128).map { Float($0) })
    try safetensors([weight]).write(to: URL(filePath: path))
    return try measure(path, dumps: dumps, keepsGoing: keepsGoing)
  }
}
