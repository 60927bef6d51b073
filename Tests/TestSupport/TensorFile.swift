import Foundation

/// A safetensors file of results that tests compare with, read without any of decant's code.
package struct TensorFile {
  private struct Place {
    let type: String
    let shape: [Int]
    let range: Range<Int>
  }

  private let bytes: [UInt8]
  private let places: [String: Place]

  package init(_ path: String) throws {
    bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
    let length = Int(Self.number(bytes, at: 0, size: 8))
    let header = try JSONSerialization.jsonObject(with: Data(bytes[8..<8 + length]))
    var places: [String: Place] = [:]
    for (name, value) in header as? [String: Any] ?? [:] {
      guard let entry = value as? [String: Any], let type = entry["dtype"] as? String,
        let shape = entry["shape"] as? [Int], let offsets = entry["data_offsets"] as? [Int]
      else { continue }
      places[name] = Place(
        type: type, shape: shape, range: 8 + length + offsets[0]..<8 + length + offsets[1])
    }
    self.places = places
  }

  package var names: [String] { places.keys.sorted() }

  package func shape(_ name: String) -> [Int] { places[name]?.shape ?? [] }

  /// All tensors as they are stored, without what else the file says.
  package var stored: [TestTensor] {
    places.sorted { $0.value.range.lowerBound < $1.value.range.lowerBound }.map { name, place in
      TestTensor(name, place.type, place.shape, bytes: Array(bytes[place.range]))
    }
  }

  /// The elements of an F64, F32, F16, BF16 or I32 tensor; none where there is no such tensor.
  package func values(_ name: String) -> [Double] {
    guard let place = places[name] else { return [] }
    let size = ["F64": 8, "F16": 2, "BF16": 2][place.type] ?? 4
    return stride(from: place.range.lowerBound, to: place.range.upperBound, by: size).map {
      let pattern = Self.number(bytes, at: $0, size: size)
      return switch place.type {
      case "F64": Double(bitPattern: pattern)
      case "F16": Self.half(pattern)
      case "BF16": Double(Float(bitPattern: UInt32(pattern) << 16))
      case "I32": Double(Int32(truncatingIfNeeded: pattern))
      default: Double(Float(bitPattern: UInt32(pattern)))
      }
    }
  }

  package func floats(_ name: String) -> [Float] { values(name).map { Float($0) } }

  package func integers(_ name: String) -> [Int] { values(name).map { Int($0) } }

  private static func number(_ bytes: [UInt8], at start: Int, size: Int) -> UInt64 {
    var number: UInt64 = 0
    for index in 0..<size { number |= UInt64(bytes[start + index]) << (8 * UInt64(index)) }
    return number
  }

  /// By the definition of IEEE 754 binary16, of finite numbers.
  private static func half(_ pattern: UInt64) -> Double {
    let (exponent, fraction) = (Int(pattern >> 10 & 31), Double(pattern & 1023))
    let magnitude =
      exponent == 0
      ? scalbn(fraction, -24) : scalbn(1024 + fraction, exponent - 25)
    return pattern >> 15 == 1 ? -magnitude : magnitude
  }
}

/// The largest difference of numbers in the same places; infinite for lists of other lengths, and where one
/// is NaN.
package func largestDifference(_ one: [Float], _ other: [Float]) -> Float {
  guard one.count == other.count else { return .infinity }
  var largest: Float = 0
  for index in one.indices {
    let difference = abs(one[index] - other[index])
    if !(difference <= largest) { largest = difference.isNaN ? .infinity : difference }
  }
  return largest
}
