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

func safetensors(_ tensors: [PageTensor]) throws -> Data {
  try Data(safetensors(tensors.map { TestTensor(f32: $0.name, $0.shape, $0.values) }))
}

let samplePath = samplesFolder + "/small"

func measure(
  _ path: String, dumps: [String] = [], filter: String? = nil, threads: Int = 2,
  keepsGoing: Bool = false, keepsMaps: Bool = false
) throws -> MeasuredModel {
  var options = MeasureOptions()
  options.keepsMaps = keepsMaps
  options.keepsGoing = keepsGoing
  options.filter = try filter.map { try NamePattern($0) }
  let run = try StatisticsRun(Checkpoint(path: path), dumps: dumps, options: options)
  let tensors = try run.run(RunContext(threads: threads))
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
