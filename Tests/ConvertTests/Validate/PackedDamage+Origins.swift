import Formats

@testable import Convert

extension PackedDamage {
  /// Of what entries say of the source's tensors.
  static let origins: [PackedDamage] = [
    .file("origin", "of a tensor beside it", tensor: SmallPack.down) {
      $0.editEntry(
        SmallPack.up, "source", "origin", Self.origin(SmallPack.down, of: SmallPack.up, in: $0))
    },
    .file("origin", "half of a tensor", tensor: "whole") { file in
      var origin = Self.origin("whole", of: SmallPack.up, in: file)
      let shape = file.shape(of: SmallPack.up)
      origin["shape"] = [.integer(2 * shape[0]), .integer(shape[1])]
      origin["outputs"] = ["first": 0, "count": .integer(shape[0])]
      file.editEntry(SmallPack.up, "source", "origin", origin)
    },
    .file("manifest", "an origin of other weights") { file in
      var origin = Self.origin("whole", of: SmallPack.up, in: file)
      origin["shape"] = [1, 1]
      file.editEntry(SmallPack.up, "source", "origin", origin)
    },
    .file("manifest", "an origin beyond its tensor") { file in
      var origin = Self.origin("whole", of: SmallPack.up, in: file)
      origin["outputs"] = ["first": 1, "count": .integer(file.shape(of: SmallPack.up)[0])]
      file.editEntry(SmallPack.up, "source", "origin", origin)
    },
    .file("manifest", "an origin of numbers without end") { file in
      var origin = Self.origin("whole", of: SmallPack.up, in: file)
      origin["outputs"] = [
        "first": 0, "count": .integer(Int.max), "step": .integer(Int.max),
      ]
      file.editEntry(SmallPack.up, "source", "origin", origin)
    },
    .file("manifest", "a factor of 0") { file in
      var origin = Self.origin("whole", of: SmallPack.up, in: file)
      origin["changes"] = [["multiply": 0]]
      file.editEntry(SmallPack.up, "source", "origin", origin)
    },
  ]

  /// All of a tensor of another name.
  private static func origin(_ name: String, of entry: String, in file: PackedEditor) -> JSONValue {
    ["name": .string(name), "shape": .array(file.shape(of: entry).map { .integer($0) })]
  }
}
