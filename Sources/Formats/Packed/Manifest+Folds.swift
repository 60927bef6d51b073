extension Manifest {
  /// Channels of the source that were scaled by powers of two before they were stored: what makes them was
  /// divided, what reads them multiplied. docs/FORMAT.md, "Folds".
  package struct Fold: Sendable, Equatable {
    /// What makes the channels, by its name in the source.
    package let module: String
    /// Of each channel; within `exponentRange`.
    package let exponents: [Int]

    package static let exponentRange = -12...12

    package init(module: String, exponents: [Int]) {
      precondition(exponents.allSatisfy(Self.exponentRange.contains))
      self.module = module
      self.exponents = exponents
    }
  }
}

extension Manifest.Fold {
  /// The letter of the lowest exponent; the others follow in the order of the alphabet.
  private static let firstLetter = UInt8(ascii: "a")

  var json: JSONValue {
    let letters = exponents.map { Self.firstLetter + UInt8($0 - Self.exponentRange.lowerBound) }
    return [
      "module": .string(module),
      "exponents": .string(String(decoding: letters, as: Unicode.ASCII.self)),
    ]
  }

  init(_ json: JSONValue, _ place: String, _ reader: ManifestReader) throws {
    module = try reader.string(json["module"], place + ".module")
    let letters = try reader.string(json["exponents"], place + ".exponents").utf8
    exponents = letters.map { Int($0) - Int(Self.firstLetter) + Self.exponentRange.lowerBound }
    guard exponents.allSatisfy(Self.exponentRange.contains) else {
      throw reader.malformed(place + ".exponents", "letters from a to y")
    }
  }

  /// Reads the member `folds` of a manifest; none where it is absent.
  static func all(_ json: JSONValue?, _ reader: ManifestReader) throws -> [Manifest.Fold] {
    guard let json else { return [] }
    let folds = try reader.array(json, "folds").enumerated().map {
      try Manifest.Fold($1, "folds[\($0)]", reader)
    }
    guard Set(folds.map(\.module)).count == folds.count else {
      throw reader.malformed("folds", "a module once")
    }
    return folds
  }
}
