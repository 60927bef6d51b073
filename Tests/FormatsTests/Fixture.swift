import Formats
import Foundation
@_exported import TestSupport
import Testing

/// Files that come with the tests; `Fixtures/README.md` says how each was made.
enum Fixture {
  static func path(_ name: String) throws -> String {
    try #require(Bundle.module.resourcePath) + "/Fixtures/" + name
  }

  static func open(_ name: String) throws -> SafetensorsFile {
    try SafetensorsFile(path: path(name))
  }
}

extension SafetensorsFile {
  func tensor(_ name: String) throws -> TensorInfo {
    try #require(header.tensors.first { $0.name == name }, "no tensor '\(name)'")
  }

  func bytes(_ name: String) throws -> [UInt8] {
    let tensor = try tensor(name)
    var bytes = [UInt8](repeating: 0, count: tensor.byteCount)
    try read(0..<tensor.byteCount, of: tensor, into: &bytes)
    return bytes
  }

  /// The elements of a tensor as decant decodes them.
  func floats(_ name: String) throws -> [Float] {
    let tensor = try tensor(name)
    var values = [Float](repeating: 0, count: tensor.elementCount)
    let known = ElementDecoder.decode(
      try bytes(name), count: values.count, as: tensor.dtype, into: &values)
    try #require(known, "\(tensor.dtype) has no decoder")
    return values
  }

  /// The elements of a 32-bit tensor as bit patterns, put together without decant's decoder.
  func words(_ name: String) throws -> [UInt32] {
    let bytes = try bytes(name)
    return stride(from: 0, to: bytes.count, by: 4).map { start in
      (0..<4).reduce(0) { $0 | UInt32(bytes[start + $1]) << (8 * $1) }
    }
  }

  /// The elements of a 16-bit tensor as bit patterns, put together without decant's decoder.
  func halves(_ name: String) throws -> [UInt16] {
    let bytes = try bytes(name)
    return stride(from: 0, to: bytes.count, by: 2).map {
      UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8
    }
  }
}

/// A valid file that holds one byte under each name.
func shard(_ names: String...) -> [UInt8] {
  let records = names.enumerated().map { index, name in
    "\"\(name)\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[\(index),\(index + 1)]}"
  }
  return safetensors(
    "{" + records.joined(separator: ",") + "}", data: [UInt8](repeating: 7, count: names.count))
}
