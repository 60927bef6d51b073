import Foundation

/// Why a manifest cannot be used.
package enum ManifestError: DescribedError, Equatable {
  case notJSON(file: String, reason: String, offset: Int)
  /// The file says a version that this decant does not know.
  case newerVersion(file: String, found: Int, known: Int)
  /// Something is missing or of the wrong kind; `place` is the path inside the manifest.
  case malformed(file: String, place: String, expected: String)

  package var message: String {
    switch self {
    case .notJSON(let file, let reason, let offset):
      "\(file): the manifest is not JSON: \(reason) (byte \(offset) of \(Manifest.manifestKey))"
    case .newerVersion(let file, let found, let known):
      "\(file): packed format version \(found); this decant reads up to \(known)"
    case .malformed(let file, let place, let expected):
      "\(file): broken manifest: \(place) must be \(expected)"
    }
  }

  package var hint: String? {
    switch self {
    case .newerVersion: "get a newer decant"
    case .notJSON, .malformed: "the file is damaged or was edited; get another copy"
    }
  }
}

extension Manifest {
  /// The manifest as JSON text of a length that does not depend on what was measured: checksums
  /// have sixteen digits and errors a fixed width, so that the text can be planned before the
  /// first weight is read.
  package var jsonText: String { json.compactText }

  package var json: JSONValue {
    var json: JSONValue = [
      "format_version": .integer(Self.formatVersion),
      "decant_version": .string(decantVersion),
      "tensors": .object(tensors.map { .init($0.name, $0.json) }),
      "sources": .array(sources.map(\.json)),
      "options": options,
    ]
    json["plan"] = plan
    json["adapters"] = adapters?.json
    if !carried.isEmpty { json["carried"] = .array(carried.map(\.json)) }
    json["output"] = output?.json
    return json
  }

  /// Reads a manifest; members it does not know are ignored.
  ///
  /// - Throws: `ManifestError`.
  package init(text: String, file: String) throws {
    let json: JSONValue
    do {
      json = try JSONValue(parsing: Array(text.utf8))
    } catch let error as JSONError {
      throw ManifestError.notJSON(file: file, reason: error.reason, offset: error.offset)
    }
    let reader = ManifestReader(file: file)
    let version = try reader.integer(json["format_version"], "format_version")
    guard version > 0 else {
      throw ManifestError.malformed(file: file, place: "format_version", expected: "at least 1")
    }
    guard version <= Self.formatVersion else {
      throw ManifestError.newerVersion(file: file, found: version, known: Self.formatVersion)
    }
    decantVersion = try reader.string(json["decant_version"], "decant_version")
    tensors = try reader.members(json["tensors"], "tensors").map { member in
      try reader.entry(member.value, name: member.name)
    }
    sources = try reader.files(json["sources"], "sources")
    options = json["options"] ?? [:]
    plan = json["plan"]
    adapters = try Adapters(json["adapters"], reader)
    carried = try json["carried"].map { try reader.files($0, "carried") } ?? []
    output = try Output(json["output"], reader)
  }
}

extension Manifest.SourceFile {
  fileprivate var json: JSONValue {
    [
      "file": .string(name), "byte_count": .integer(byteCount),
      "xxh64": .string(checksum.hexDigits),
    ]
  }
}

extension Manifest.Entry {
  fileprivate var json: JSONValue {
    var json: JSONValue = [:]
    switch encoding {
    case .raw: json["encoding"] = "raw"
    case .affine(let layout, let method):
      json["encoding"] = "affine"
      json["bits"] = .integer(layout.bits)
      json["group_size"] = .integer(layout.groupSize)
      json["method"] = .string(method)
      json["transposed"] = .bool(order == .inputMajor)
    }
    json["source_dtype"] = .string(sourceDType.rawValue)
    json["source_shape"] = .array(sourceShape.map { .integer($0) })
    json["xxh64"] = .object(stored.map { .init($0.name, .string($0.checksum.hexDigits)) })
    if let error {
      json["error"] = [
        "squared_norm": .fixedWidth(error.squaredNorm),
        "squared_error": .fixedWidth(error.squaredError),
        "largest_error": .fixedWidth(error.largestError),
      ]
    }
    json["zeroed"] = zeroedCount.map { .fixedWidth($0) }
    return json
  }
}

extension JSONValue {
  /// A finite number >= 0 in a spelling of fixed width, 16 characters: `1.2345678901e-05`. Squares
  /// of `Float` values and their sums stay within two digits of exponent.
  fileprivate static func fixedWidth(_ value: Double) -> JSONValue {
    .number(String(format: "%.10e", value))
  }
}

extension JSONValue {
  /// A count right-aligned in sixteen characters: JSON allows the spaces before it.
  fileprivate static func fixedWidth(_ count: Int) -> JSONValue {
    let digits = String(count)
    return .number(String(repeating: " ", count: max(0, 16 - digits.utf8.count)) + digits)
  }
}

/// Takes the parts of a manifest apart, naming the place of what does not fit.
struct ManifestReader {
  let file: String

  func entry(_ json: JSONValue, name: String) throws -> Manifest.Entry {
    let place = "tensors['\(name)']"
    let dtypeName = try string(json["source_dtype"], place + ".source_dtype")
    guard let dtype = DType(rawValue: dtypeName) else {
      throw malformed(place + ".source_dtype", "a dtype")
    }
    let shape = try array(json["source_shape"], place + ".source_shape").map { dimension in
      guard case .number(let text) = dimension, let value = UInt64(text) else {
        throw malformed(place + ".source_shape", "a list of unsigned integers")
      }
      return value
    }
    let encoding: Manifest.Encoding
    let storedNames: [String]
    switch try string(json["encoding"], place + ".encoding") {
    case "raw":
      encoding = .raw
      storedNames = [name]
    case "affine":
      let bits = try integer(json["bits"], place + ".bits")
      let groupSize = try integer(json["group_size"], place + ".group_size")
      guard let layout = AffineLayout(bits: bits, groupSize: groupSize) else {
        throw malformed(place, "a layout that exists; \(bits) bits, groups of \(groupSize) do not")
      }
      encoding = .affine(layout, method: try string(json["method"], place + ".method"))
      let names = Manifest.Entry.packedNames(of: name)
      storedNames = [names.weight, names.scales, names.biases]
    case let other: throw malformed(place + ".encoding", "raw or affine, not '\(other)'")
    }
    // Looked up by name: the members of a JSON object have no order.
    let checksums = try members(json["xxh64"], place + ".xxh64")
    guard checksums.count == storedNames.count else {
      throw malformed(place + ".xxh64", "the checksums of " + storedNames.joined(separator: ", "))
    }
    let stored = try storedNames.map { name in
      Manifest.StoredTensor(
        name: name, checksum: try checksum(json["xxh64"]?[name], place + ".xxh64['\(name)']"))
    }
    var error: Manifest.MeasuredError?
    if let json = json["error"] {
      error = Manifest.MeasuredError(
        squaredNorm: try number(json["squared_norm"], place + ".error.squared_norm"),
        squaredError: try number(json["squared_error"], place + ".error.squared_error"),
        largestError: try number(json["largest_error"], place + ".error.largest_error"))
    }
    return Manifest.Entry(
      name: name, encoding: encoding, sourceDType: dtype, sourceShape: shape,
      order: try json["transposed"].map { try flag($0, place + ".transposed") } ?? false
        ? .inputMajor : .outputMajor,
      stored: stored, error: error,
      zeroedCount: try json["zeroed"].map { try integer($0, place + ".zeroed") })
  }

  func files(_ json: JSONValue?, _ place: String) throws -> [Manifest.SourceFile] {
    try array(json, place).enumerated().map { index, file in
      let place = "\(place)[\(index)]"
      return Manifest.SourceFile(
        name: try string(file["file"], place + ".file"),
        byteCount: try integer(file["byte_count"], place + ".byte_count"),
        checksum: try checksum(file["xxh64"], place + ".xxh64"))
    }
  }

  func malformed(_ place: String, _ expected: String) -> ManifestError {
    .malformed(file: file, place: place, expected: expected)
  }

  private func require<T>(_ value: T?, _ place: String, _ expected: String) throws -> T {
    guard let value else { throw malformed(place, expected) }
    return value
  }

  func string(_ json: JSONValue?, _ place: String) throws -> String {
    try require(json?.stringValue, place, "a string")
  }

  func integer(_ json: JSONValue?, _ place: String) throws -> Int {
    try require(json?.intValue.flatMap { $0 >= 0 ? $0 : nil }, place, "an integer >= 0")
  }

  func flag(_ json: JSONValue?, _ place: String) throws -> Bool {
    try require(json?.boolValue, place, "true or false")
  }

  func number(_ json: JSONValue?, _ place: String) throws -> Double {
    try require(
      json?.doubleValue.flatMap { $0.isFinite && $0 >= 0 ? $0 : nil }, place, "a number >= 0")
  }

  func array(_ json: JSONValue?, _ place: String) throws -> [JSONValue] {
    try require(json?.arrayValue, place, "a list")
  }

  func members(_ json: JSONValue?, _ place: String) throws -> [JSONValue.Member] {
    try require(json?.members, place, "an object")
  }

  func checksum(_ json: JSONValue?, _ place: String) throws -> UInt64 {
    try require(
      json?.stringValue.flatMap { UInt64(hexDigits: $0) }, place, "16 hexadecimal digits")
  }
}
