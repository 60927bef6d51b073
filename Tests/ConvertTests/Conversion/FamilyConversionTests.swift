import Formats
import Foundation
import TestModels
import Testing

@testable import Convert

/// The whole way of every family in miniature: convert, validate, unpack.
@Suite struct FamilyConversionTests {
  @Test(arguments: SyntheticFamily.all)
  func survivesTheRoundTrip(_ family: SyntheticFamily) throws {
    let folder = try TemporaryFolder()
    let source = folder.path + "/source"
    try FileManager.default.createDirectory(
      atPath: source, withIntermediateDirectories: false)
    let tensors = family.tensors.enumerated().map { index, tensor in
      TestTensor(repeating: tensor.name, tensor.dtype, tensor.shape, seed: UInt64(index))
    }
    try writeSafetensors(tensors, to: source + "/model.safetensors")
    try folder.write("source/config.json", Array(family.config.prettyText.utf8))
    try folder.write("source/tokenizer.json", Array("{}".utf8))
    var options = ConversionOptions()
    options.groupSize = 32

    let packed = folder.path + "/packed"
    try convert(source, to: packed, options: options)
    #expect(try validate(packed, against: source) == [])
    #expect(try folder.bytes("packed/tokenizer.json") == Array("{}".utf8))

    // What holds a tensor of the source, or a part of it.
    var holders: [String: [Manifest.Layout]] = [:]
    for tensor in try PackedCheckpoint(Checkpoint(path: packed)).tensors.map(\.entry) {
      for name in tensor.origin?.names.all ?? [tensor.name] {
        holders[name, default: []].append(tensor.layout)
      }
    }
    for tensor in family.tensors {
      switch tensor.outcome {
      case .packed:
        let layouts = try #require(holders[tensor.name], "\(tensor.name)")
        #expect(
          layouts.allSatisfy { $0 == .affine(AffineLayout(bits: 4, groupSize: 32)!) },
          "\(tensor.name)")
      case .kept:
        // A scale that an FP8 weight was decoded with has done its work.
        if tensor.name.hasSuffix("_scale_inv") || tensor.name.hasSuffix("_scale") {
          #expect(holders[tensor.name] == nil)
        } else {
          #expect(holders[tensor.name]?.allSatisfy { $0 == .plain } == true, "\(tensor.name)")
        }
      case .dropped: #expect(holders[tensor.name] == nil, "\(tensor.name)")
      }
    }

    try unpack(packed, to: folder.path + "/plain")
    let plain = try Checkpoint(path: folder.path + "/plain")
    let original = try Checkpoint(path: source)
    let shapes = Dictionary(uniqueKeysWithValues: plain.tensors.map { ($0.name, $0.info.shape) })
    for tensor in family.tensors where tensor.outcome == .packed {
      #expect(shapes[tensor.name] == tensor.shape.map { UInt64($0) }, "\(tensor.name)")
      guard !tensor.dtype.isFloat8 else { continue }
      // Four bits leave about a tenth of the weights' size: a transposition would leave all of it.
      let before = try values(tensor.name, in: original)
      let after = try values(tensor.name, in: plain)
      let norm = before.reduce(0) { $0 + $1 * $1 }
      let error = zip(before, after).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      #expect(error < norm * 0.02, "\(tensor.name)")
    }
  }
}
