import Formats

/// Reads the members of an object of a configuration, and remembers which were asked for: what is left
/// in the end is not understood.
struct ConfigReader {
  let modelType: String
  private let members: [JSONValue.Member]
  private let byName: [String: JSONValue]
  /// What names are preceded by in messages.
  private let path: String
  private(set) var understood: Set<String> = []

  /// Sizes beyond this are no model's; products of three of them fit.
  static let largestSize = 1 << 20

  init(_ value: JSONValue, modelType: String, path: String = "") {
    self.modelType = modelType
    self.path = path
    members = value.members ?? []
    byName = value.membersByName
  }

  enum Found {
    case absent
    case null
    case value(JSONValue, key: String)
  }

  /// The first of `keys` that is there and not null; all of them count as understood.
  mutating func find(_ keys: [String]) -> Found {
    understood.formUnion(keys)
    var found = Found.absent
    for key in keys {
      guard let value = byName[key] else { continue }
      if value != .null { return .value(value, key: key) }
      found = .null
    }
    return found
  }

  /// Counts keys as understood, though they are not read.
  mutating func ignore(_ keys: some Sequence<String>) { understood.formUnion(keys) }

  func error(_ key: String, _ value: JSONValue, expected: String) -> ArchitectureError {
    .badValue(key: path + key, value: Self.text(value), expected: expected)
  }

  func missing(_ keys: [String]) -> ArchitectureError {
    .missingKey(path + (keys.first ?? ""), modelType: modelType)
  }

  /// - Throws: `ArchitectureError.unknownKey` for the first member that was not asked for, is not null, and
  ///   is not among `harmless` or has not its value of `neutral`.
  func checkUnderstood(
    harmless: Set<String> = [], neutral: [String: [JSONValue]] = [:]
  ) throws(ArchitectureError) {
    for member in members {
      guard member.value != .null, !understood.contains(member.name),
        !harmless.contains(member.name),
        neutral[member.name]?.contains(member.value) != true
      else { continue }
      throw .unknownKey(
        path + member.name, value: Self.text(member.value), modelType: modelType)
    }
  }

  private static func text(_ value: JSONValue) -> String {
    let text = value.compactText
    return text.count <= 60 ? text : text.prefix(60) + "…"
  }
}

// Values of one type. Each throws `ArchitectureError.badValue` for another type or an absurd number, and
// `.missingKey` where there is none and nothing stands for it.
extension ConfigReader {
  /// A positive number of things; nil where it is null or absent.
  mutating func sizeIfPresent(
    _ keys: [String], limit: Int = largestSize, allowsZero: Bool = false
  ) throws(ArchitectureError) -> Int? {
    guard case .value(let value, let key) = find(keys) else { return nil }
    guard let size = value.intValue, size >= (allowsZero ? 0 : 1), size <= limit else {
      throw error(
        key, value, expected: "a whole number from \(allowsZero ? 0 : 1) to \(limit)")
    }
    return size
  }

  mutating func size(
    _ keys: [String], absent: Int? = nil, limit: Int = largestSize, allowsZero: Bool = false
  ) throws(ArchitectureError) -> Int {
    guard let size = try sizeIfPresent(keys, limit: limit, allowsZero: allowsZero) ?? absent else {
      throw missing(keys)
    }
    return size
  }

  mutating func numberIfPresent(_ keys: [String]) throws(ArchitectureError) -> Double? {
    guard case .value(let value, let key) = find(keys) else { return nil }
    guard let number = value.doubleValue, number.isFinite, abs(number) < 1e30 else {
      throw error(key, value, expected: "a finite number")
    }
    return number
  }

  mutating func number(
    _ keys: [String], absent: Double? = nil
  ) throws(ArchitectureError) -> Double {
    guard let number = try numberIfPresent(keys) ?? absent else { throw missing(keys) }
    return number
  }

  mutating func positive(
    _ keys: [String], absent: Double? = nil
  ) throws(ArchitectureError) -> Double {
    let number = try number(keys, absent: absent)
    guard number > 0 else {
      throw .badValue(key: path + (keys.first ?? ""), value: "\(number)", expected: "positive")
    }
    return number
  }

  mutating func flag(_ key: String, absent: Bool) throws(ArchitectureError) -> Bool {
    guard case .value(let value, let key) = find([key]) else { return absent }
    guard let flag = value.boolValue else { throw error(key, value, expected: "true or false") }
    return flag
  }

  mutating func flag(_ fact: ArchitectureFamily.Flag) throws(ArchitectureError) -> Bool {
    switch fact {
    case .never: false
    case .always: true
    case .key(let key, let absent): try flag(key, absent: absent)
    }
  }

  mutating func text(_ keys: [String], absent: String?) throws(ArchitectureError) -> String {
    guard case .value(let value, let key) = find(keys) else {
      guard let absent else { throw missing(keys) }
      return absent
    }
    guard let text = value.stringValue else { throw error(key, value, expected: "a text") }
    return text
  }

  /// Nil where it is null, absent or empty.
  mutating func listIfPresent(
    _ key: String, count: Int? = nil
  ) throws(ArchitectureError) -> [JSONValue]? {
    guard case .value(let value, let key) = find([key]) else { return nil }
    guard let list = value.arrayValue else { throw error(key, value, expected: "a list") }
    guard count == nil || list.isEmpty || list.count == count else {
      throw error(key, value, expected: "a list of \(count ?? 0)")
    }
    return list.isEmpty ? nil : list
  }

  mutating func numbers(_ key: String, count: Int) throws(ArchitectureError) -> [Double] {
    guard let list = try listIfPresent(key, count: count) else { throw missing([key]) }
    return try list.map { (value) throws(ArchitectureError) in
      guard let number = Self.number(value) else {
        throw error(key, value, expected: "a number")
      }
      return number
    }
  }

  /// A number, also one that JSON has no spelling for: transformers 5 writes such as an object.
  private static func number(_ value: JSONValue) -> Double? {
    value.doubleValue ?? value["__float__"]?.stringValue.flatMap { Double($0) }
  }

  /// An object of its own, whose members must be checked by whoever reads them.
  mutating func object(_ key: String) throws(ArchitectureError) -> ConfigReader? {
    guard case .value(let value, let key) = find([key]) else { return nil }
    guard value.members != nil else { throw error(key, value, expected: "an object") }
    return ConfigReader(value, modelType: modelType, path: path + key + ".")
  }

  func has(_ key: String) -> Bool { byName[key].map { $0 != .null } ?? false }
}
