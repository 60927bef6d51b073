import Formats
import Stats
import Testing

/// One way to spoil a valid file, and what the reader must say.
struct GGUFDamage: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let expected: GGUFError.Violation
  let file: [UInt8]

  init(
    _ description: String, _ expected: GGUFError.Violation,
    change: (inout GGUFBuilder) -> Void
  ) {
    testDescription = description
    self.expected = expected
    var builder = GGUFBuilder.sound
    change(&builder)
    file = builder.bytes
  }
}

@Suite struct GGUFDamageTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  @Test(arguments: ofTheStart + ofTheKeys + ofTheTensors)
  func isRefused(_ damage: GGUFDamage) throws {
    let path = try directory.write(damage.file, to: "file.gguf")
    let error = #expect(throws: GGUFError.self) { try GGUFFile(path: path) }
    #expect(error?.violation == damage.expected)
    #expect(error?.message.hasPrefix(path + ": ") == true)
  }

  @Test func everyShorterFileIsRefused() throws {
    let bytes = GGUFBuilder.sound.bytes
    #expect(bytes.count == 240)
    #expect(try GGUFFile(path: directory.write(bytes, to: "whole")).header.tensors.count == 2)
    for count in 0..<bytes.count {
      let path = try directory.write(Array(bytes.prefix(count)), to: "part")
      #expect(throws: GGUFError.self, "\(count) bytes") { try GGUFFile(path: path) }
    }
  }

  @Test func everyShorterModelIsRefused() throws {
    let bytes = try contents(of: Fixture.path("gguf/tiny_llama_mixed.gguf"))
    #if DEBUG
      let step = 31
    #else
      let step = 7
    #endif
    for count in Array(stride(from: 0, to: 4800, by: step)) + [80_992, 81_247] {
      let path = try directory.write(Array(bytes.prefix(count)), to: "part")
      #expect(throws: GGUFError.self, "\(count) bytes") { try GGUFFile(path: path) }
    }
  }

  /// Whatever the damage, a file is refused with a reason, or its tensors lie inside it.
  @Test func aDamagedHeaderIsNoTrap() throws {
    let original = try contents(of: Fixture.path("gguf/tiny_llama_mixed.gguf"))
    var random = SplitMix64(seed: 26)
    var refusals = 0
    for _ in 0..<1000 {
      var bytes = original
      // Most bytes are of the vocabulary; what stands before and after it gets as much damage.
      let places = [0..<800, 800..<3300, 3300..<4704, 0..<4704]
      bytes.damage(places.randomElement(using: &random)!, using: &random)
      let path = try directory.write(bytes, to: "damaged")
      do {
        let file = try GGUFFile(path: path)
        var byte: [UInt8] = [0]
        for tensor in file.header.tensors where tensor.byteCount > 0 {
          try file.read(tensor.byteCount - 1..<tensor.byteCount, of: tensor, into: &byte)
        }
      } catch is any DescribedError {
        refusals += 1
      }
    }
    #expect((300..<1000).contains(refusals), "\(refusals)")
  }

  /// A sparse file: the header claims a string that the file could hold, and decant will not.
  @Test func aHeaderBeyondTheLimitIsRefused() throws {
    var builder = GGUFBuilder()
    builder.add("k", little(Int32(8)) + little(UInt64(150_000_000)))
    let path = try directory.write(builder.bytes, to: "large")
    try directory.extend("large", to: 200_000_000)
    let error = #expect(throws: GGUFError.self) { try GGUFFile(path: path) }
    // 24 bytes of counts; the key with its length, the type and the length of the string.
    #expect(
      error?.violation
        == .headerTooLarge(position: 45, needed: 150_000_000, limit: 100_000_000))
  }

  static let ofTheStart: [GGUFDamage] = [
    GGUFDamage("other magic", .notGGUF(start: [0x47, 0x47, 0x4D, 0x4C])) {
      $0.magic = Array("GGML".utf8)
    },
    GGUFDamage("version 1", .badVersion(1)) { $0.version = 1 },
    GGUFDamage("version 4", .badVersion(4)) { $0.version = 4 },
    GGUFDamage("big-endian", .badVersion(3 << 24)) { $0.version = 3 << 24 },
    // Behind the counts stand 216 bytes; a tensor takes 24, a key 14.
    GGUFDamage("more tensors than fit", .badCount(of: "tensors", found: 11, limit: 9)) {
      $0.tensorCount = 11
    },
    GGUFDamage("fewer than no tensors", .badCount(of: "tensors", found: -1, limit: 9)) {
      $0.tensorCount = -1
    },
    GGUFDamage("2^62 keys", .badCount(of: "keys", found: 1 << 62, limit: 15)) {
      $0.keyCount = 1 << 62
    },
    GGUFDamage("fewer than no keys", .badCount(of: "keys", found: .min, limit: 15)) {
      $0.keyCount = .min
    },
  ]

  static let ofTheKeys: [GGUFDamage] = [
    GGUFDamage("empty key", .emptyKey(position: 24)) { $0.keys[0].name = [] },
    GGUFDamage("key of 64 KiB", .keyTooLong(byteCount: 65_536, position: 24)) {
      $0.keys[0].name = [UInt8](repeating: 0x61, count: 65_536)
    },
    GGUFDamage("key that is not UTF-8", .notUTF8("a key", position: 33)) {
      $0.keys[0].name = [0x61, 0xFF]
    },
    GGUFDamage("key given twice", .repeatedKey("numbers", position: 107)) {
      $0.keys.insert($0.keys[1], at: 0)
    },
    GGUFDamage("unknown type", .unknownValueType(key: "k", id: 13, position: 33)) {
      $0.keys.insert((Array("k".utf8), little(Int32(13))), at: 0)
    },
    GGUFDamage("type below zero", .unknownValueType(key: "k", id: -1, position: 33)) {
      $0.keys.insert((Array("k".utf8), little(Int32(-1))), at: 0)
    },
    GGUFDamage("array of arrays", .nestedArray(key: "k", position: 37)) {
      $0.keys.insert((Array("k".utf8), array(9, [])), at: 0)
    },
    GGUFDamage(
      "array of 2^64 - 1 elements",
      .arrayTooLong(key: "k", count: .max, limit: 159 / 4, position: 37)
    ) { $0.keys = [(Array("k".utf8), array(5, [], count: .max))] },
    GGUFDamage(
      "one text more than fits",
      .arrayTooLong(key: "k", count: 20, limit: 159 / 8, position: 37)
    ) { $0.keys = [(Array("k".utf8), array(8, [], count: 20))] },
    GGUFDamage("text that is not UTF-8", .notUTF8("the value of 'k'", position: 45)) {
      $0.keys = [(Array("k".utf8), little(Int32(8)) + little(UInt64(1)) + [0x80])]
    },
    GGUFDamage(
      "text of 2^63 bytes", .endsEarly(position: 45, needed: 1 << 63, available: 131)
    ) {
      $0.keys = [(Array("k".utf8), little(Int32(8)) + little(UInt64(1) << 63))]
    },
    GGUFDamage("alignment of another type", .alignmentType(.uint64)) {
      $0.add("general.alignment", little(Int32(10)) + little(UInt64(32)))
    },
    GGUFDamage("alignment of 0", .badAlignment(0)) {
      $0.add("general.alignment", value(uint32: 0))
    },
    GGUFDamage("alignment of 48", .badAlignment(48)) {
      $0.add("general.alignment", value(uint32: 48))
    },
    GGUFDamage("element of an unknown type", .unknownValueType(key: "k", id: 14, position: 37)) {
      $0.keys = [(Array("k".utf8), array(14, []))]
    },
  ]
}

extension [UInt8] {
  /// Changes one to three bytes in `places`, often to a value at the edge of a range.
  mutating func damage(_ places: Range<Int>, using random: inout SplitMix64) {
    for _ in 0..<Int.random(in: 1...3, using: &random) {
      self[Int.random(in: places, using: &random)] =
        Bool.random(using: &random)
        ? UInt8.random(in: 0...255, using: &random)
        : [0, 1, 0x7F, 0x80, 0xFF].randomElement(using: &random)!
    }
  }
}
