/// A JSON document that keeps what Foundation's types lose: the order of the members, and the
/// spelling of every number (`1e-05`, `1.0`, integers beyond 2^53), so that a configuration file
/// comes through an edit with only the edit changed.
package enum JSONValue: Sendable, Equatable {
  case null
  case bool(Bool)
  /// The number as spelled in the document.
  case number(String)
  case string(String)
  case array([JSONValue])
  /// Members in document order; no name twice.
  case object([Member])

  package struct Member: Sendable, Equatable {
    package let name: String
    package var value: JSONValue

    package init(_ name: String, _ value: JSONValue) {
      self.name = name
      self.value = value
    }
  }

  package static func integer(_ value: some BinaryInteger) -> JSONValue { .number(String(value)) }

  /// The shortest decimal that reads back as `value`; null for NaN and the infinities, which JSON
  /// cannot express.
  package static func double(_ value: Double?) -> JSONValue {
    guard let value, value.isFinite else { return .null }
    if value == value.rounded(), abs(value) < 1e15 { return .number(String(Int64(value))) }
    return .number("\(value)")
  }
}

extension JSONValue {
  package var stringValue: String? {
    if case .string(let text) = self { text } else { nil }
  }

  package var boolValue: Bool? {
    if case .bool(let flag) = self { flag } else { nil }
  }

  /// The number as an integer, only where it is spelled as one and fits.
  package var intValue: Int? {
    if case .number(let text) = self { Int(text) } else { nil }
  }

  package var doubleValue: Double? {
    if case .number(let text) = self { Double(text) } else { nil }
  }

  package var arrayValue: [JSONValue]? {
    if case .array(let elements) = self { elements } else { nil }
  }

  package var members: [Member]? {
    if case .object(let members) = self { members } else { nil }
  }

  /// The members for being looked up again and again; none where this is no object.
  package var membersByName: [String: JSONValue] {
    Dictionary(
      (members ?? []).map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
  }

  /// The member called `name`, or nil where there is none or this is no object. Setting a member
  /// replaces it in place or appends it; setting nil removes it.
  package subscript(name: String) -> JSONValue? {
    get { members?.first { $0.name == name }?.value }
    set {
      guard case .object(var members) = self else { return }
      let index = members.firstIndex { $0.name == name }
      switch (index, newValue) {
      case (let index?, let value?): members[index].value = value
      case (let index?, nil): members.remove(at: index)
      case (nil, let value?): members.append(Member(name, value))
      case (nil, nil): break
      }
      self = .object(members)
    }
  }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  package init(stringLiteral value: String) { self = .string(value) }
  package init(booleanLiteral value: Bool) { self = .bool(value) }
  package init(integerLiteral value: Int) { self = .integer(value) }
  package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  package init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(elements.map { Member($0.0, $0.1) })
  }
}
