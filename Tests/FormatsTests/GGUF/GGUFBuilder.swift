import Formats

/// Writes a GGUF file piece by piece, sound or not, from the format's description.
struct GGUFBuilder {
  struct Tensor {
    var name: String
    var dimensions: [Int64]
    var type: Int32 = 0
    var offset: UInt64
  }

  var magic = Array("GGUF".utf8)
  var version: UInt32 = 3
  /// Claimed in place of the true numbers.
  var tensorCount: Int64?
  var keyCount: Int64?
  /// Keys with what follows them: the type and the value.
  var keys: [(name: [UInt8], value: [UInt8])] = []
  var tensors: [Tensor] = []
  var alignment = 32
  var data: [UInt8] = []

  mutating func add(_ key: String, _ value: [UInt8]) { keys.append((Array(key.utf8), value)) }

  /// Adds an F32 tensor and its data, at the next aligned offset.
  mutating func add(_ name: String, _ dimensions: [Int64], _ values: [Float]) {
    data += [UInt8](repeating: 0, count: (alignment - data.count % alignment) % alignment)
    tensors.append(Tensor(name: name, dimensions: dimensions, offset: UInt64(data.count)))
    data += values.flatMap { little($0.bitPattern) }
  }

  var bytes: [UInt8] {
    var bytes = magic + little(version)
    bytes += little(tensorCount ?? Int64(tensors.count)) + little(keyCount ?? Int64(keys.count))
    for key in keys { bytes += little(UInt64(key.name.count)) + key.name + key.value }
    for tensor in tensors {
      bytes += text(tensor.name) + little(UInt32(tensor.dimensions.count))
      bytes += tensor.dimensions.flatMap { little($0) }
      bytes += little(tensor.type) + little(tensor.offset)
    }
    let padding = (alignment - bytes.count % alignment) % alignment
    return bytes + [UInt8](repeating: 0, count: padding) + data
  }

  /// A file of two keys and two tensors, whose header ends at byte 188; data from byte 192 to 240.
  static let sound: GGUFBuilder = {
    var builder = GGUFBuilder()
    builder.add("general.architecture", value(string: "test"))
    builder.add("numbers", array(5, [little(Int32(-1)), little(Int32(7))]))
    builder.add("a.weight", [2, 3], [0, 1, 2, 3, 4, 5])
    builder.add("b", [4], [6, 7, 8, 9])
    return builder
  }()
}

/// The bytes of a number, little-endian.
func little<T: FixedWidthInteger>(_ number: T) -> [UInt8] {
  (0..<T.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
}

/// A length and the text itself.
func text(_ text: String) -> [UInt8] { little(UInt64(text.utf8.count)) + Array(text.utf8) }

func value(string: String) -> [UInt8] { little(Int32(8)) + text(string) }

func value(uint32: UInt32) -> [UInt8] { little(Int32(4)) + little(uint32) }

/// A value that is an array of elements of this type number.
func array(_ type: Int32, _ elements: [[UInt8]], count: UInt64? = nil) -> [UInt8] {
  little(Int32(9)) + little(type) + little(count ?? UInt64(elements.count)) + elements.joined()
}
