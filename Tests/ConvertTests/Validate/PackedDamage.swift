import Formats
import Foundation
import Testing

@testable import Convert

/// One way to spoil a sound packed checkpoint, and exactly what a validation finds.
struct PackedDamage: Sendable, CustomTestStringConvertible {
  /// A rule that does not hold, and the tensor that breaks it.
  struct Expected: Sendable, Equatable, CustomStringConvertible {
    let rule: String
    let tensor: String?
    var description: String { rule + (tensor.map { " of " + $0 } ?? "") }
  }

  let place: String
  let expected: [Expected]
  /// Spoils the pack and returns what a validation of it finds.
  let findings: @Sendable (SmallPack) throws -> [Finding]

  var testDescription: String { "\(expected[0].rule): \(place)" }

  /// - Parameter apply: spoils the checkpoint in one file.
  init(
    _ rule: String, _ place: String, tensor: String? = nil,
    _ apply: @escaping @Sendable (SmallPack) throws -> Void
  ) {
    self.init([(rule, tensor)], place) { pack in
      try apply(pack)
      return try validate(pack.one)
    }
  }

  init(
    _ expected: [(String, String?)], _ place: String,
    _ findings: @escaping @Sendable (SmallPack) throws -> [Finding]
  ) {
    self.place = place
    self.expected = expected.map { Expected(rule: $0.0, tensor: $0.1) }
    self.findings = findings
  }

  /// Changes the bytes of the one file.
  static func bytes(
    _ rule: String, _ place: String, tensor: String? = nil,
    _ change: @escaping @Sendable (inout [UInt8]) -> Void
  ) -> PackedDamage {
    PackedDamage(rule, place, tensor: tensor) { try $0.editBytes($0.oneFile, change) }
  }

  /// Changes the header or the data of the one file; its own checksum is made again.
  static func file(
    _ rule: String, _ place: String, tensor: String? = nil,
    _ change: @escaping @Sendable (inout PackedEditor) throws -> Void
  ) -> PackedDamage {
    PackedDamage(rule, place, tensor: tensor) { try $0.edit($0.oneFile, change) }
  }

  /// Changes `config.json`, which then is not what was written, whatever else is wrong.
  static func config(
    _ expected: [(String, String?)], _ place: String,
    _ change: @escaping @Sendable (inout JSONValue) -> Void
  ) -> PackedDamage {
    PackedDamage(expected + [("document_digest", nil)], place) { pack in
      try pack.editDocument(pack.one + "/config.json", change)
      return try validate(pack.one)
    }
  }

  /// Changes the two blocks of `config.json` alike.
  static func block(
    _ expected: [(String, String?)], _ place: String,
    _ change: @escaping @Sendable (inout JSONValue) -> Void
  ) -> PackedDamage {
    config(expected, place) { config in
      guard var block = config["quantization"] else { return }
      change(&block)
      config["quantization"] = block
      config["quantization_config"] = block
    }
  }
}

extension PackedDamage {
  private static let norm = SmallPack.norm
  private static let downModule = "model.layers.0.mlp.down_proj"

  /// The last tensor of the data is the norm.
  private static func offsets(_ begin: Int, _ end: Int) -> @Sendable (inout PackedEditor) -> Void {
    { file in
      let range = file.range(of: norm)
      file.header[norm]?["data_offsets"] = [
        .integer(range.lowerBound + begin), .integer(range.upperBound + end),
      ]
    }
  }

  /// Rules of the container.
  static let container: [PackedDamage] = [
    .bytes("header_length_missing", "five bytes") { $0 = Array($0[0..<5]) },
    .bytes("header_too_large", "length field") { $0[5] = 1 },
    .bytes("header_past_end", "length field") { $0[3] = 1 },
    .bytes("header_not_utf8", "metadata") { $0[12] = 0xFF },
    .bytes("header_not_json", "second byte") { $0[9] = UInt8(ascii: "{") },
    .bytes("header_start", "first byte") { $0[8] = UInt8(ascii: " ") },
    .bytes("header_padding", "after the object") { bytes in
      let end = 8 + Int(bytes[0]) + Int(bytes[1]) << 8
      // Eight spaces more, one of which is none.
      bytes.insert(contentsOf: Array("    \n   ".utf8), at: end)
      let length = end
      (bytes[0], bytes[1]) = (UInt8(length & 0xFF), UInt8(length >> 8))
    },
    .bytes("repeated_name", "two records of one name") { bytes in
      let name = Array("\"model.embed_tokens.scales\":".utf8)
      let other = Array("\"model.embed_tokens.biases\":".utf8)
      // The record itself, not the names inside the manifest, which are escaped.
      let place = bytes.indices.first { bytes[$0...].starts(with: name) }!
      bytes.replaceSubrange(place..<place + name.count, with: other)
    },
    .file("record_not_object", "a tensor's record", tensor: norm) { $0.header[norm] = 1 },
    .file("field_missing", "dtype", tensor: norm) { $0.header[norm]?["dtype"] = nil },
    .file("unknown_dtype", "dtype", tensor: norm) { $0.header[norm]?["dtype"] = "BF15" },
    .file("bad_shape", "shape", tensor: norm) { $0.header[norm]?["shape"] = ["64"] },
    .file("too_many_dimensions", "shape", tensor: norm) {
      $0.header[norm]?["shape"] = .array(Array(repeating: 1, count: 64) + [64])
    },
    .file("bad_offsets", "data_offsets", tensor: norm) { $0.header[norm]?["data_offsets"] = [0] },
    .file("bad_metadata", "format") { $0.header["__metadata__"]?["format"] = 1 },
    .file("end_before_begin", "data_offsets", tensor: norm, offsets(200, 0)),
    .file("gap", "data_offsets", tensor: norm, offsets(2, 0)),
    .file("overlap", "data_offsets", tensor: norm, offsets(-2, 0)),
    .file("size_overflow", "shape", tensor: norm) {
      $0.header[norm]?["shape"] = [.integer(UInt64.max), 64]
    },
    .file("partial_byte", "dtype", tensor: norm) {
      $0.header[norm]?["dtype"] = "F4"
      $0.header[norm]?["shape"] = [3]
    },
    .file("wrong_size", "shape", tensor: norm) { $0.header[norm]?["shape"] = [65] },
    .bytes("data_missing", "last byte") { $0.removeLast() },
    .bytes("trailing_data", "after the last byte") { $0.append(0) },
  ]

  /// Rules of a file and its manifest.
  static let manifest: [PackedDamage] = [
    PackedDamage([("unreadable", nil)], "a directory in the place of a file") { pack in
      try FileManager.default.removeItem(atPath: pack.oneFile)
      try FileManager.default.createDirectory(
        atPath: pack.oneFile, withIntermediateDirectories: false)
      return try validate(pack.one)
    },
    PackedDamage([("checkpoint", nil)], "a shard is missing") { pack in
      try FileManager.default.removeItem(atPath: pack.shard(2))
      return try validate(pack.two)
    },
    PackedDamage("header_checksum", "a digit of it") { pack in
      try pack.edit(pack.oneFile, sealing: false) { file in
        let key = Manifest.headerChecksumKey
        let digits = file.header["__metadata__"]?[key]?.stringValue ?? ""
        file.header["__metadata__"]?[key] = .string(String(digits.reversed()))
      }
    },
    .file("header_checksum", "it is missing") {
      $0.header["__metadata__"]?[Manifest.headerChecksumKey] = nil
    },
    PackedDamage("manifest_missing", "metadata") { pack in
      var file = try PackedEditor(pack.oneFile)
      file.header["__metadata__"]?[Manifest.manifestKey] = nil
      try file.write(keepingManifest: false)
    },
    .file("manifest", "format_version") { $0.manifest["format_version"] = 9 },
    .file("manifest", "output.shard") { $0.manifest["output"]?["shard"] = 2 },
    .file("manifest", "a layout of later versions") {
      $0.editEntry(SmallPack.up, "layout", "name", "affine_in_affine")
    },
    .file("manifest", "source.order") { $0.editEntry(SmallPack.up, "source", "order", "sideways") },
    .file("manifest", "no zeroed") { $0.editEntry(SmallPack.up, "zeroed", nil) },
    .file("manifest", "no carried") { $0.manifest["carried"] = nil },
    .file("plan", "another width", tensor: SmallPack.up) { file in
      file.addPlan { $0 == SmallPack.up ? ["bits": 3, "group_size": 64] : nil }
    },
    .file("plan", "a tensor that it keeps", tensor: SmallPack.down) { file in
      file.addPlan { $0 == SmallPack.down ? ["keep": true] : nil }
    },
    .file("plan", "a tensor that it packs", tensor: norm) { file in
      file.addPlan { $0 == norm ? ["bits": 4, "group_size": 64] : nil }
    },
    .file("plan", "a packed tensor without a width", tensor: SmallPack.embedding) { file in
      file.addPlan { $0 == SmallPack.embedding ? ["name": "another"] : nil }
    },
    .file("plan", "no tensors") { $0.manifest["plan"] = ["totals": [:]] },
    .file("tensor_missing", "an entry too many", tensor: "ghost") { file in
      var entry = file.manifest["tensors"]?[norm]
      entry?["stored"] = ["ghost": "0123456789abcdef"]
      file.manifest["tensors"]?["ghost"] = entry
    },
    .file("tensor_shape", "raw", tensor: norm) { $0.editEntry(norm, "source", "shape", [32, 2]) },
    .file("tensor_shape", "affine", tensor: SmallPack.up) {
      $0.editEntry(SmallPack.up, "source", "shape", [95, 64])
    },
    .file("tensor_shape", "bits", tensor: SmallPack.up) {
      $0.editEntry(SmallPack.up, "layout", "bits", 3)
    },
    .file("tensor_size", "source.shape", tensor: SmallPack.up) {
      $0.editEntry(SmallPack.up, "source", "shape", [.integer(UInt64.max), 64])
    },
    .file("tensor_claimed_twice", "a raw entry", tensor: "model.embed_tokens.biases") { file in
      var entry = file.manifest["tensors"]?[norm]
      entry?["stored"] = ["model.embed_tokens.biases": "0123456789abcdef"]
      file.manifest["tensors"]?["model.embed_tokens.biases"] = entry
    },
    .file("tensor_unnamed", "no entry", tensor: norm) { $0.manifest["tensors"]?[norm] = nil },
    .file("group_size", "source.shape", tensor: SmallPack.up) {
      $0.editEntry(SmallPack.up, "source", "shape", [96, 65])
    },
    .file("checksum", "codes", tensor: SmallPack.up) { file in
      file.data[file.range(of: SmallPack.up).lowerBound] ^= 1
    },
    .file("checksum", "scales", tensor: "model.embed_tokens.scales") { file in
      file.data[file.range(of: "model.embed_tokens.scales").upperBound - 2] ^= 1
    },
    .file("checksum", "biases", tensor: "model.embed_tokens.biases") { file in
      file.data[file.range(of: "model.embed_tokens.biases").lowerBound] ^= 1
    },
    .file("checksum", "raw", tensor: norm) { file in
      file.data[file.range(of: norm).lowerBound] ^= 1
    },
    .file("not_finite", "scales", tensor: "model.embed_tokens.scales") { file in
      let start = file.range(of: "model.embed_tokens.scales").lowerBound
      (file.data[start + 2], file.data[start + 3]) = (0xC0, 0x7F)
      file.rehash()
    },
    .file("not_finite", "biases", tensor: "model.embed_tokens.biases") { file in
      let end = file.range(of: "model.embed_tokens.biases").upperBound
      (file.data[end - 2], file.data[end - 1]) = (0x80, 0xFF)
      file.rehash()
    },
  ]

  /// Rules of an output of several files, and of what lies beside the weights.
  static let output: [PackedDamage] = [
    PackedDamage([("shard_foreign", nil)], "a shard of another fine-tune") { pack in
      let other = try SmallPack(seed: 50)
      try pack.folder.write(
        "two/" + SmallPack.shardName(2), other.folder.bytes("two/" + SmallPack.shardName(2)))
      return try validate(pack.two)
    },
    PackedDamage([("shard_missing", nil)], "half a model, renamed to a whole one") { pack in
      let half = pack.folder.path + "/half"
      try FileManager.default.createDirectory(atPath: half, withIntermediateDirectories: false)
      for name in ["config.json", "tokenizer.json"] {
        try pack.folder.write("half/" + name, pack.folder.bytes("two/" + name))
      }
      try pack.folder.write(
        "half/model.safetensors", pack.folder.bytes("two/" + SmallPack.shardName(1)))
      let findings = try validate(half)
      // The configuration of both halves, and an index that was left behind, say so too.
      return findings.filter { !["config", "document_missing"].contains($0.rule) }
    },
    PackedDamage(
      [("shard_name", nil), ("shard_name", nil), ("document_digest", nil)], "renumbered shards"
    ) { pack in
      let names = [SmallPack.shardName(1), SmallPack.shardName(2)]
      let files = try names.map { try pack.folder.bytes("two/" + $0) }
      for (name, bytes) in zip(names.reversed(), files) {
        try pack.folder.write("two/" + name, bytes)
      }
      try pack.editDocument(pack.two + "/model.safetensors.index.json") { index in
        for member in index["weight_map"]?.members ?? [] {
          index["weight_map"]?[member.name] =
            member.value.stringValue == names[0] ? .string(names[1]) : .string(names[0])
        }
      }
      return try validate(pack.two)
    },
    PackedDamage([("shard_name", nil)], "a shard that is named as a whole model") { pack in
      let file = pack.folder.path + "/model.safetensors"
      try FileManager.default.copyItem(atPath: pack.shard(1), toPath: file)
      return try validate(file)
    },
    .file("output_checksum", "output.digest") {
      $0.manifest["output"]?["digest"] = "0123456789abcdef"
    },
    PackedDamage("document_missing", "config.json") {
      try FileManager.default.removeItem(atPath: $0.one + "/config.json")
    },
    PackedDamage([("document_missing", nil)], "index") { pack in
      try FileManager.default.removeItem(atPath: pack.two + "/model.safetensors.index.json")
      return try validate(pack.two)
    },
    .config([("config", nil)], "no block") { $0["quantization"] = nil },
    .config([("config", nil)], "no second block") { $0["quantization_config"] = nil },
    .config([], "a member of the source's") { $0["model_type"] = "mistral" },
    PackedDamage("document_digest", "another space in config.json") { pack in
      try pack.editBytes(pack.one + "/config.json") {
        $0[$0.firstIndex(of: UInt8(ascii: " "))!] = UInt8(ascii: "\t")
      }
    },
    PackedDamage([("document_digest", nil)], "another order in the index") { pack in
      try pack.editDocument(pack.two + "/model.safetensors.index.json") { index in
        index["weight_map"] = .object((index["weight_map"]?.members ?? []).reversed())
      }
      return try validate(pack.two)
    },
    .block([("config", nil), ("config", SmallPack.embedding), ("config", SmallPack.up)], "mode") {
      $0["mode"] = "mxfp4"
    },
    .block([("config", nil), ("config", SmallPack.embedding), ("config", SmallPack.up)], "bits") {
      $0["bits"] = 8
    },
    .block(
      [("config", nil), ("config", SmallPack.embedding), ("config", SmallPack.up)], "group_size"
    ) {
      $0["group_size"] = 32
    },
    .block([("config", SmallPack.down)], "a layer's entry is missing") { $0[downModule] = nil },
    .block([("config", SmallPack.down)], "a layer's mode") { $0[downModule]?["mode"] = nil },
    .block([("config", SmallPack.down)], "a layer's bits") { $0[downModule]?["bits"] = 6 },
    .block([("config", "model.norm")], "an entry of what is not packed") {
      $0["model.norm"] = ["group_size": 64, "bits": 4, "mode": "affine"]
    },
    PackedDamage([("index", nil), ("document_digest", nil)], "total_size") { pack in
      try pack.editDocument(pack.two + "/model.safetensors.index.json") {
        $0["metadata"]?["total_size"] = 7
      }
      return try validate(pack.two)
    },
    PackedDamage("carried_missing", "tokenizer.json") {
      try FileManager.default.removeItem(atPath: $0.one + "/tokenizer.json")
    },
    PackedDamage("carried_size", "tokenizer.json") { pack in
      try pack.editBytes(pack.one + "/tokenizer.json") { $0.append(10) }
    },
    PackedDamage("carried_checksum", "tokenizer.json") { pack in
      try pack.editBytes(pack.one + "/tokenizer.json") { $0[3] ^= 2 }
    },
  ]

  /// Rules of a merge, and of a comparison with the source.
  static let comparison: [PackedDamage] = [
    PackedDamage([("originals", "model.layers.0.mlp.up_proj.biases")], "a kept value") { pack in
      let merged = try pack.merged(pack.one, to: "merged")
      try pack.editBytes(merged + "/decant-unmerged.safetensors") { $0[$0.count - 1] ^= 1 }
      return try validate(merged)
    },
    PackedDamage([("adapters", nil)], "merged, and none given") { pack in
      let merged = try pack.merged(pack.one, to: "merged")
      return try validate(merged, against: pack.source)
    },
    PackedDamage([("source", nil)], "another source file") { pack in
      // As many weights as before, of the same values: only the header differs.
      var file = try PackedEditor(pack.source + "/model.safetensors")
      file.header["__metadata__"]?["format"] = "np"
      try file.write(keepingManifest: false)
      return try validate(pack.one, against: pack.source)
    },
    PackedDamage([("source", norm)], "a kept tensor") { pack in
      try pack.edit(pack.oneFile) { file in
        file.data[file.range(of: norm).lowerBound] ^= 1
        file.rehash()
      }
      return try validate(pack.one, against: pack.source)
    },
    PackedDamage([("recorded_error", SmallPack.up)], "error") { pack in
      try pack.edit(pack.oneFile) { file in
        file.manifest["tensors"]?[SmallPack.up]?["error"]?["squared_error"] =
          .number("1.0000000000e-05")
      }
      return try validate(pack.one, against: pack.source)
    },
    PackedDamage([("recorded_error", SmallPack.up)], "no error") { pack in
      try pack.edit(pack.oneFile) { $0.manifest["tensors"]?[SmallPack.up]?["error"] = nil }
      return try validate(pack.one, against: pack.source)
    },
    // What a packed file cannot be damaged to: a fast reader that is wrong.
    PackedDamage([("second_decode", SmallPack.up)], "a reader that finds no loss") { pack in
      let packed = try PackedCheckpoint(Checkpoint(path: pack.one))
      let check = try RowCheck(packed, source: try Checkpoint(path: pack.source))
      return try packed.tensors.indices.filter { packed.tensors[$0].entry.name == SmallPack.up }
        .compactMap { try check.finding($0) { _ in .init() } }
    },
  ]

  static let all = container + manifest + origins + output + comparison
}
