import Formats

/// One object of a `tokenizer.json`, and where it stands: reads its members, and says what is wrong.
struct ComponentReader {
  let path: String
  /// As in `normalizer.normalizers[0]`.
  let name: String
  let json: JSONValue

  /// - Throws: `TokenizerError.malformed` where it is no object.
  init(_ json: JSONValue, path: String, name: String) throws(TokenizerError) {
    guard json.members != nil else {
      throw .malformed(path: path, component: name, reason: "not an object")
    }
    self.path = path
    self.name = name
    self.json = json
  }

  func malformed(_ reason: String) -> TokenizerError {
    .malformed(path: path, component: name, reason: reason)
  }

  func unsupported(_ feature: String) -> TokenizerError {
    .unsupported(path: path, component: name, feature: feature)
  }

  /// The member, nil where it is missing or null.
  func value(_ member: String) -> JSONValue? {
    let value = json[member]
    return value == .null ? nil : value
  }

  /// What kind of component it is.
  func type() throws(TokenizerError) -> String { try string("type") }

  func string(_ member: String) throws(TokenizerError) -> String {
    guard let text = value(member)?.stringValue else { throw malformed("no text '\(member)'") }
    return text
  }

  func bytes(_ member: String) throws(TokenizerError) -> [UInt8] {
    Array(try string(member).utf8)
  }

  /// A text, nil where the member is missing or null.
  func optionalBytes(_ member: String) throws(TokenizerError) -> [UInt8]? {
    value(member) == nil ? nil : try bytes(member)
  }

  /// - Parameter fallback: what a missing member means; nil where it must be there.
  func bool(_ member: String, default fallback: Bool? = nil) throws(TokenizerError) -> Bool {
    guard let value = value(member) else {
      guard let fallback else { throw malformed("no '\(member)'") }
      return fallback
    }
    guard let flag = value.boolValue else { throw malformed("'\(member)' is not true or false") }
    return flag
  }

  func count(_ member: String) throws(TokenizerError) -> Int {
    guard let number = value(member)?.intValue, number >= 0 else {
      throw malformed("no whole number '\(member)'")
    }
    return number
  }

  /// A text of one character.
  func character(_ member: String) throws(TokenizerError) -> [UInt8] {
    let text = try string(member)
    guard text.unicodeScalars.count == 1 else { throw malformed("'\(member)' is no character") }
    return Array(text.utf8)
  }

  func list(_ member: String) throws(TokenizerError) -> [JSONValue] {
    guard let list = value(member)?.arrayValue else { throw malformed("no list '\(member)'") }
    return list
  }

  func child(_ member: String) throws(TokenizerError) -> ComponentReader {
    guard let value = value(member) else { throw malformed("no '\(member)'") }
    return try ComponentReader(value, path: path, name: "\(name).\(member)")
  }

  func children(_ member: String) throws(TokenizerError) -> [ComponentReader] {
    var children: [ComponentReader] = []
    for (index, value) in try list(member).enumerated() {
      children.append(
        try ComponentReader(value, path: path, name: "\(name).\(member)[\(index)]"))
    }
    return children
  }

  /// An id of the vocabulary.
  func id(_ value: JSONValue?) throws(TokenizerError) -> Int32 {
    guard let number = value?.intValue, let id = Int32(exactly: number), id >= 0 else {
      throw malformed("'\(value?.compactText ?? "null")' is no id")
    }
    return id
  }

  /// A text or a regular expression: `{"String": …}` or `{"Regex": …}`.
  func pattern(_ member: String) throws(TokenizerError) -> SplitPattern {
    let pattern = try child(member)
    guard let members = pattern.json.members, members.count == 1 else {
      throw pattern.malformed("neither one 'String' nor one 'Regex'")
    }
    switch members[0].name {
    case "String": return .literal(try pattern.bytes("String"))
    case "Regex": return try pattern.regex(try pattern.string("Regex"))
    case let name: throw pattern.unsupported("a pattern '\(name)'")
    }
  }

  private func regex(_ text: String) throws(TokenizerError) -> SplitPattern {
    if let scanner = PatternScanner(pattern: text) { return .scanner(scanner) }
    do {
      return .regex(try RegexProgram(text))
    } catch {
      throw unsupported(
        "the regular expression '\(text)' (at character \(error.offset): \(error.reason))")
    }
  }
}
