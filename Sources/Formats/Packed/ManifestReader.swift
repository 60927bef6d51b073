/// Takes the parts of a manifest apart, naming the place of what does not fit.
struct ManifestReader {
  let file: String
  /// Of the format that the manifest is written in.
  let version: Int

  /// - Throws: `ManifestError` where the version is none, or a later one than is known.
  init(_ manifest: JSONValue, file: String) throws {
    self.file = file
    guard let version = manifest["format_version"]?.intValue, version >= 0 else {
      throw ManifestError.malformed(
        file: file, place: "format_version", expected: "an integer >= 0")
    }
    guard version > 0 else {
      throw ManifestError.malformed(file: file, place: "format_version", expected: "at least 1")
    }
    guard version <= Manifest.formatVersion else {
      throw ManifestError.newerVersion(file: file, found: version, known: Manifest.formatVersion)
    }
    self.version = version
  }

  /// By which the version makes its digests.
  var rule: Digest.Rule { version == 1 ? .whole : .blocks }

  func recordedFile(_ json: JSONValue, _ place: String) throws -> Manifest.RecordedFile {
    try recordedFile(json, place, rule)
  }

  /// A source's digest of version 1 stays one when other versions are made of the file, because what
  /// it is made of is no longer there.
  func source(_ json: JSONValue, _ place: String) throws -> Manifest.RecordedFile {
    func has(_ rule: Digest.Rule) -> Bool { json[rule.memberName] != nil }
    return try recordedFile(json, place, !has(.blocks) && has(.whole) ? .whole : rule)
  }

  private func recordedFile(
    _ json: JSONValue, _ place: String, _ rule: Digest.Rule
  ) throws -> Manifest.RecordedFile {
    Manifest.RecordedFile(
      name: try string(json["file"], place + ".file"),
      byteCount: try integer(json["byte_count"], place + ".byte_count"),
      digest: try digest(json, place, rule))
  }

  /// The digest that is a member of `json`.
  func digest(
    _ json: JSONValue, _ place: String, _ rule: Digest.Rule
  ) throws -> Digest {
    let name = rule.memberName
    return Digest(rule, try checksum(json[name], "\(place).\(name)"))
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
