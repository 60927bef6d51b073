extension GGUFDamageTests {
  static let ofTheTensors: [GGUFDamage] = [
    GGUFDamage("name of 64 bytes", .nameTooLong(byteCount: 64, position: 107)) {
      $0.tensors[0].name = String(repeating: "n", count: 64)
    },
    GGUFDamage("name given twice", .repeatedTensor("a.weight", position: 155)) {
      $0.tensors[1].name = "a.weight"
    },
    GGUFDamage("five dimensions", .tooManyDimensions(tensor: "b", count: 5)) {
      $0.tensors[1].dimensions = [1, 1, 1, 1, 4]
    },
    GGUFDamage(
      "dimension below zero", .negativeDimension(tensor: "b", dimensions: [4, -1])
    ) { $0.tensors[1].dimensions = [4, -1] },
    GGUFDamage("removed type", .unknownType(tensor: "b", id: 4)) { $0.tensors[1].type = 4 },
    GGUFDamage("type of the future", .unknownType(tensor: "b", id: 99)) {
      $0.tensors[1].type = 99
    },
    GGUFDamage(
      "half a block", .partialBlock(tensor: "b", dimension: 16, type: .q4_0)
    ) {
      $0.tensors[1].type = 2
      $0.tensors[1].dimensions = [16, 2]
    },
    GGUFDamage("scalar of blocks", .partialBlock(tensor: "b", dimension: 1, type: .q4_0)) {
      $0.tensors[1].type = 2
      $0.tensors[1].dimensions = []
    },
    GGUFDamage(
      "product that overflows",
      .sizeOverflow(tensor: "b", dimensions: [1 << 32, 1 << 31], type: .f32)
    ) { $0.tensors[1].dimensions = [1 << 32, 1 << 31] },
    GGUFDamage(
      "bytes that overflow", .sizeOverflow(tensor: "b", dimensions: [1 << 61], type: .f32)
    ) { $0.tensors[1].dimensions = [1 << 61] },
    GGUFDamage(
      "overflow before a zero",
      .sizeOverflow(tensor: "b", dimensions: [.max, 2, 0], type: .f32)
    ) { $0.tensors[1].dimensions = [.max, 2, 0] },
    GGUFDamage("gap", .wrongOffset(tensor: "b", found: 64, expected: 32)) {
      $0.tensors[1].offset = 64
    },
    GGUFDamage("overlap", .wrongOffset(tensor: "b", found: 0, expected: 32)) {
      $0.tensors[1].offset = 0
    },
    GGUFDamage("offset of 2^64 - 1", .wrongOffset(tensor: "a.weight", found: .max, expected: 0)) {
      $0.tensors[0].offset = .max
    },
    GGUFDamage("other order", .wrongOffset(tensor: "b", found: 32, expected: 0)) {
      $0.tensors.swapAt(0, 1)
    },
    GGUFDamage(
      "data beyond the file",
      .dataMissing(tensor: "b", offset: 224, byteCount: 20, fileSize: 240)
    ) { $0.tensors[1].dimensions = [5] },
    GGUFDamage(
      "2^62 bytes of data",
      .dataMissing(tensor: "b", offset: 224, byteCount: 1 << 62, fileSize: 240)
    ) { $0.tensors[1].dimensions = [1 << 60] },
  ]
}
