// Tens of thousands of damaged files are too many for a debug build.
#if !DEBUG

  import Dispatch
  import Foundation
  import Synchronization
  import Testing

  @testable import Convert

  /// Every bit of a small packed file, flipped, and every length that it may be cut to.
  @Suite(.serialized) struct ExhaustiveDamageTests {
    enum Form: String, CaseIterable, CustomTestStringConvertible {
      case file, directory, shards
      var testDescription: String { rawValue }
    }

    /// A packed checkpoint with a matrix and a raw tensor, and its weight files by name.
    private struct Packed {
      let folder: TemporaryFolder
      let path: String
      let files: [(name: String, bytes: [UInt8])]

      init(_ form: Form) throws {
        let folder = try TemporaryFolder()
        self.folder = folder
        let tensors = [
          TestTensor(random: "model.layers.0.mlp.up_proj.weight", .bf16, [2, 32], seed: 1),
          TestTensor(random: "model.norm.weight", .bf16, [4], seed: 2),
        ]
        try folder.makeFolder("source")
        try writeSafetensors(tensors, to: folder.path("source/model.safetensors"))
        try folder.write(#"{"model_type": "llama"}"#, to: "source/config.json")
        var options = ConversionOptions()
        options.groupSize = 32
        if form == .shards { options.shardLimit = 8 }
        path = form == .file ? "packed.safetensors" : "packed"
        try convert(folder.path("source"), to: folder.path(path), options: options)
        let names = folder.entries.filter { $0.hasPrefix("packed") && $0.hasSuffix(".safetensors") }
        files = try names.map { ($0, try folder.bytes($0)) }
      }
    }

    /// What may become of a file.
    private struct Damage: Sendable {
      let file: Int
      let description: String
      let bytes: @Sendable () -> [UInt8]

      static func all(of packed: Packed) -> [Damage] {
        packed.files.enumerated().flatMap { index, file in
          file.bytes.indices.flatMap { place in
            [
              Damage(file: index, description: "\(file.name) cut to \(place) bytes") {
                Array(file.bytes.prefix(place))
              }
            ]
              + (0..<8).map { bit in
                Damage(file: index, description: "\(file.name), byte \(place), bit \(bit)") {
                  var bytes = file.bytes
                  bytes[place] ^= 1 << UInt8(bit)
                  return bytes
                }
              }
          }
        }
      }
    }

    @Test(arguments: Form.allCases)
    func isFound(_ form: Form) throws {
      let packed = try Packed(form)
      let (path, files) = (packed.path, packed.files)
      let original = packed.folder.path(path)
      try #require(validate(original) == [])
      #expect(files.count == (form == .shards ? 2 : 1))
      let damages = Damage.all(of: packed)
      #expect(damages.count > 9 * 1000)
      let unnoticed = Mutex<[String]>([])
      let failures = Mutex<[String]>([])
      let workers = ProcessInfo.processInfo.activeProcessorCount
      DispatchQueue.concurrentPerform(iterations: workers) { worker in
        do {
          // A copy of its own for each thread, of which one file at a time is damaged.
          let copy = try TemporaryFolder()
          try FileManager.default.copyItem(atPath: original, toPath: copy.path(path))
          for index in stride(from: worker, to: damages.count, by: workers) {
            let damage = damages[index]
            let file = files[damage.file]
            try copy.write(damage.bytes(), to: file.name)
            if !Self.isNoticed(copy.path(path)) {
              unnoticed.withLock { $0.append(damage.description) }
            }
            // The next damage may be to another file.
            if files.count > 1 { try copy.write(file.bytes, to: file.name) }
          }
        } catch {
          failures.withLock { $0.append("\(error)") }
        }
      }
      #expect(failures.withLock { $0 } == [])
      let found = unnoticed.withLock { $0 }
      #expect(found.isEmpty, "\(found.count) of \(damages.count): \(found.sorted().prefix(40))")
    }

    private static func isNoticed(_ path: String) -> Bool {
      let validator = Validator(path: path)
      guard let findings = try? validator.run(against: nil, RunContext(threads: 1)) else {
        return true
      }
      return !findings.isEmpty
    }
  }

#endif
