import Formats
import Foundation
import Testing

@testable import Convert

/// What mlx-lm takes in other shapes than the source has, against the same weights put there by hand.
@Suite struct ArrangedConversionTests {
  private let folder: TemporaryFolder
  private let options: ConversionOptions

  init() throws {
    folder = try TemporaryFolder()
    var options = ConversionOptions()
    options.groupSize = 32
    options.minimumCoverage = 0
    self.options = options
  }

  private func write(_ tensors: [NaiveTensor], config: String, to name: String) throws -> String {
    try folder.makeFolder(name)
    try writeSafetensors(tensors.map(\.test), to: folder.path(name + "/model.safetensors"))
    try folder.write(name + "/config.json", Array(config.utf8))
    return folder.path(name)
  }

  /// The bytes of every stored tensor.
  private func tensors(_ name: String) throws -> [String: NaiveFile.Tensor] {
    try NaiveFile(path: folder.path(name + "/model.safetensors")).tensors
  }

  @Test(arguments: HandArranged.all)
  func packsWhatWasPutThereByHand(_ test: HandArranged) throws {
    let source = try write(test.source, config: test.config, to: "source")
    try convert(source, to: folder.path("packed"), options: options)
    let packed = try tensors("packed")
    for tensor in test.arranged {
      let module = Manifest.Entry.packedNames(of: tensor.name)
      guard let words = packed[module.weight], words.type == "U32" else {
        let kept = try #require(packed[tensor.name], "\(tensor.name)")
        #expect(kept.shape == tensor.shape && kept.bytes == tensor.test.bytes, "\(tensor.name)")
        continue
      }
      // Every matrix packs alone to the same bytes, under the name of a plain layer.
      let expected = try (0..<(tensor.shape.count == 3 ? tensor.shape[0] : 1)).map { matrix in
        let size = tensor.shape.suffix(2).reduce(1, *)
        let one = NaiveTensor(
          "model.layers.0.mlp.up_proj.weight", Array(tensor.shape.suffix(2)),
          Array(tensor.values[matrix * size..<(matrix + 1) * size]))
        let name = "\(tensor.name)-\(matrix)"
        try folder.makeFolder(name)
        // Numbers that BF16 does not hold.
        try writeSafetensors(
          [TestTensor(one.name, .f32, one.shape, values: one.values)],
          to: folder.path(name + "/model.safetensors"))
        var options = options
        options.scaleType = .bf16
        try convert(folder.path(name), to: folder.path(name + "-packed"), options: options)
        return try tensors(name + "-packed")
      }
      for (part, stored) in [
        ("weight", module.weight), ("scales", module.scales), ("biases", module.biases),
      ] {
        let bytes = try expected.flatMap {
          try #require($0["model.layers.0.mlp.up_proj." + part]).bytes
        }
        #expect(packed[stored]?.bytes == bytes, "\(stored)")
        #expect(packed[stored]?.shape.dropLast() == tensor.shape.dropLast()[...], "\(stored)")
      }
    }
    let names = Set(test.arranged.map { Manifest.Entry.modulePath(of: $0.name) })
    let found = packed.keys.map { name in
      [".weight", ".scales", ".biases"].first(where: name.hasSuffix)
        .map { String(name.dropLast($0.count)) } ?? name
    }
    #expect(Set(found).subtracting(names) == [])
  }

  @Test(arguments: HandArranged.all)
  func goesBackToTheSource(_ test: HandArranged) throws {
    let source = try write(test.source, config: test.config, to: "source")
    try convert(source, to: folder.path("packed"), options: options)
    #expect(try validate(folder.path("packed"), against: source) == [])
    try unpack(folder.path("packed"), to: folder.path("plain"))
    let plain = try tensors("plain")
    #expect(
      Set(plain.keys) == Set(test.source.map(\.name)).subtracting(test.dropped))
    for tensor in test.source where !test.dropped.contains(tensor.name) {
      let found = try #require(plain[tensor.name])
      #expect(found.shape == tensor.shape && found.type == "BF16")
      if let limit = test.rounded[tensor.name] {
        for (value, original) in zip(found.values, tensor.values) {
          #expect(abs(Float(value) - original) <= limit)
        }
        continue
      }
      let norm = tensor.values.reduce(0) { $0 + $1 * $1 }
      let error = zip(tensor.values, found.values).reduce(Float(0)) { sum, pair in
        let difference = pair.0 - Float(pair.1)
        return sum + difference * difference
      }
      // A kept one comes back exactly; 4 bits leave less than a tenth; anything out of place, all.
      #expect(error < norm * 0.02, "\(tensor.name): \(error) of \(norm)")
    }
  }

  /// What is kept goes the same way in 16 bits, and comes back bit for bit.
  @Test(arguments: HandArranged.all.filter { $0.name != "a head of unit rows" })
  func keptWeightsComeBackBitForBit(_ test: HandArranged) throws {
    let source = try write(test.source, config: test.config, to: "source")
    var options = options
    options.keep = [try NamePattern("*")]
    try convert(source, to: folder.path("packed"), options: options)
    #expect(try validate(folder.path("packed"), against: source) == [])
    let packed = try tensors("packed")
    for tensor in test.arranged {
      let stored = try #require(packed[tensor.name], "\(tensor.name)")
      #expect(stored.shape == tensor.shape, "\(tensor.name)")
      #expect(stored.bytes == tensor.test.bytes, "\(tensor.name)")
    }
    try unpack(folder.path("packed"), to: folder.path("plain"))
    let plain = try tensors("plain")
    for tensor in test.source
    where !test.dropped.contains(tensor.name) && test.rounded[tensor.name] == nil {
      // Factors of 3 and 11 take a bit of 16-bit numbers.
      guard tensor.name != "model.layers.0.mamba.in_proj.weight" else { continue }
      #expect(plain[tensor.name]?.bytes == tensor.test.bytes, "\(tensor.name)")
      #expect(plain[tensor.name]?.shape == tensor.shape, "\(tensor.name)")
    }
  }

  /// Again from what was packed with the source's names.
  @Test(arguments: HandArranged.all)
  func isArrangedWhenItIsPackedAgain(_ test: HandArranged) throws {
    let source = try write(test.source, config: test.config, to: "source")
    var options = options
    options.bits = 8
    try convert(source, to: folder.path("packed"), options: options, arrangement: .asStored)
    options.requantizes = true
    try convert(folder.path("packed"), to: folder.path("again"), options: options)
    #expect(try validate(folder.path("again"), against: folder.path("packed")) == [])
    try unpack(folder.path("again"), to: folder.path("plain"))
    let plain = try tensors("plain")
    for tensor in test.source
    where !test.dropped.contains(tensor.name) && test.rounded[tensor.name] == nil {
      let found = try #require(plain[tensor.name], "\(tensor.name)")
      #expect(found.shape == tensor.shape)
      let norm = tensor.values.reduce(0) { $0 + $1 * $1 }
      let error = zip(tensor.values, found.values).reduce(Float(0)) { sum, pair in
        let difference = pair.0 - Float(pair.1)
        return sum + difference * difference
      }
      #expect(error < norm * 0.001, "\(tensor.name): \(error) of \(norm)")
    }
    // And once more, from the final names, without losing where it came from.
    try convert(folder.path("again"), to: folder.path("third"), options: options)
    #expect(try validate(folder.path("third"), against: folder.path("again")) == [])
    try unpack(folder.path("third"), to: folder.path("third-plain"))
    #expect(try Set(tensors("third-plain").keys) == Set(plain.keys))
  }
}
