/// A tensor of a file that a test writes.
package struct TestTensor: Sendable {
  package let name: String
  /// As safetensors names it: `BF16`, `F8_E4M3`.
  package let type: String
  package let shape: [Int]
  /// The stored elements, little-endian and row-major; without any the tensor is all zeros.
  package let bytes: [UInt8]

  package init(_ name: String, _ type: String, _ shape: [Int], bytes: [UInt8] = []) {
    self.name = name
    self.type = type
    self.shape = shape
    self.bytes = bytes
  }

  /// Elements as F32.
  package init(f32 name: String, _ shape: [Int], _ values: [Float]) {
    self.init(name, "F32", shape, bytes: values.flatMap { littleEndian($0.bitPattern) })
  }

  package var byteCount: Int { shape.reduce(Self.bitCount(type), *) / 8 }

  private static func bitCount(_ type: String) -> Int {
    switch type {
    case "BOOL": 8
    case "C64": 64
    case "F4": 4
    default: type.hasPrefix("F6_") ? 6 : Int(type.drop { !$0.isNumber }.prefix { $0.isNumber })!
    }
  }
}

package func littleEndian<T: FixedWidthInteger>(_ number: T) -> [UInt8] {
  (0..<T.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
}
