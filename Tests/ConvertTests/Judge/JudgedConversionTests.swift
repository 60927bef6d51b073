import Formats
import Foundation
import Testing

@testable import Convert

/// Whole files that decant wrote, against a judge that shares nothing with it.
@Suite struct JudgedConversionTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let source: JudgedSource
    let bits: Int
    let groupSize: Int
    var scaleType: ScaleType?

    var testDescription: String {
      "\(source.testDescription), \(bits) bits, groups of \(groupSize)"
        + (scaleType.map { ", scales \($0.rawValue)" } ?? "")
    }

    func convert(in folder: TemporaryFolder) throws -> (source: NaiveFile, packed: NaiveFile) {
      let path = try source.write("source", in: folder)
      var options = ConversionOptions()
      // Groups of 32 at 8 bits take more than the 8-bit floats they come from.
      options.minimumCoverage = 0
      options.method = .minmax
      options.bits = bits
      options.groupSize = groupSize
      options.scaleType = scaleType
      // 8 bits with scales are more than the 8-bit floats that they were.
      options.minimumCoverage = 0
      try ConvertTests.convert(
        path, to: folder.path("packed"), options: options, arrangement: .asStored)
      return (
        try NaiveFile(path: folder.path("source/model.safetensors")),
        try NaiveFile(path: folder.path("packed/model.safetensors"))
      )
    }

    func type(of weight: JudgedSource.Weight) -> NaiveFloat {
      scaleType.map { .named($0.rawValue) } ?? weight.scaleType
    }

    static let all = JudgedSource.all.flatMap { source in
      [2, 3, 4, 5, 6, 8].flatMap { bits in
        [32, 64, 128].map { Case(source: source, bits: bits, groupSize: $0) }
      }
    }
    static let scaleTypes = ScaleType.allCases.flatMap { type in
      [JudgedSource.floats, .scaled].map {
        Case(source: $0, bits: 4, groupSize: 64, scaleType: type)
      }
    }
  }

  @Test(arguments: Case.all + Case.scaleTypes)
  func minMaxIsTheFormulasBitForBit(_ test: Case) throws {
    let folder = try TemporaryFolder()
    let (source, packed) = try test.convert(in: folder)
    let entries = try packed.manifestEntries()
    for weight in test.source.weights {
      let name = weight.tensor.name
      let matrix = try weight.values(in: source)
      let type = test.type(of: weight)
      let groups = stride(from: 0, to: matrix.values.count, by: test.groupSize).map { start in
        NaiveGroup.minMax(
          Array(matrix.values[start..<start + test.groupSize]), bits: test.bits, type: type)
      }
      try #expect(
        stored(name, "weight", in: packed)
          == naivelyPacked(groups.flatMap(\.codes), bits: test.bits),
        "codes of \(name)")
      try #expect(
        stored(name, "scales", in: packed) == type.encode(groups.map(\.scale)), "scales of \(name)")
      try #expect(
        stored(name, "biases", in: packed) == type.encode(groups.map(\.bias)), "biases of \(name)")

      let entry = try #require(entries[name])
      let recorded = try #require(entry["source"] as? [String: Any])
      #expect(
        recorded["order"] as? String == (weight.isInputMajor ? "input_major" : "output_major"))
      let error = try #require(entry["error"] as? [String: Double])
      let differences = zip(matrix.values, groups.flatMap(\.decoded)).map { $0 - $1 }
      let largest = differences.map(\.magnitude).max()
      for (member, expected) in [
        ("squared_norm", matrix.values.reduce(0) { $0 + $1 * $1 }),
        ("squared_error", differences.reduce(0) { $0 + $1 * $1 }), ("largest_error", largest ?? 0),
      ] {
        #expect(
          isClose(error[member], expected, relative: 1e-9),
          "\(name): \(member) is \(error[member] ?? .nan), not \(expected)")
      }
    }
  }

  @Test(arguments: Case.all.filter { $0.bits != 8 && $0.groupSize == 32 } + Case.scaleTypes)
  func unpackingGivesWhatTheCodesStandFor(_ test: Case) throws {
    let folder = try TemporaryFolder()
    let packed = try test.convert(in: folder).packed
    try unpack(folder.path("packed"), to: folder.path("plain"))
    let plain = try NaiveFile(path: folder.path("plain/model.safetensors"))
    for weight in test.source.weights {
      let name = weight.tensor.name
      let type = test.type(of: weight)
      let codes = try naivelyUnpacked(stored(name, "weight", in: packed), bits: test.bits)
      let scales = try type.decode(stored(name, "scales", in: packed))
      let biases = try type.decode(stored(name, "biases", in: packed))
      let values = scales.indices.flatMap { group in
        let start = group * test.groupSize
        return NaiveGroup(
          type: type, scale: scales[group], bias: biases[group],
          codes: Array(codes[start..<start + test.groupSize])
        ).decoded
      }
      var shape = weight.tensor.shape
      if weight.isInputMajor { shape.swapAt(shape.count - 1, shape.count - 2) }
      let matrix = NaiveMatrix(shape, values)
      let expected = weight.isInputMajor ? matrix.transposed : matrix
      let tensor = try #require(plain.tensors[name])
      #expect(tensor.type == type.name && tensor.shape == weight.tensor.shape, "\(name)")
      #expect(tensor.bytes == type.encode(expected.values), "\(name)")
    }
    #expect(plain.tensors["model.norm.weight"]?.values == [1, 2, 3])
  }

  private func stored(_ name: String, _ part: String, in file: NaiveFile) throws -> [UInt8] {
    let prefix = name.hasSuffix(".weight") ? String(name.dropLast(7)) : name
    return try #require(file.tensors["\(prefix).\(part)"], "no \(prefix).\(part)").bytes
  }
}
