import Formats
import Testing

@Suite struct JSONTests {
  private func parse(_ text: String) throws -> JSONValue {
    try JSONValue(parsing: Array(text.utf8))
  }

  /// Order, numbers as spelled, and text outside ASCII come through unchanged.
  @Test(arguments: [
    #"{"z":1,"a":2,"m":{"y":[],"b":{}}}"#,
    "[1e-05,1.0,-0,0.10,1E+9,18446744073709551616,123456789012345678901234567890]",
    #"["é","e\#u{301}","🦙","\\ \" \n \t \r \u0001"]"#,
    "[true,false,null]", "[]", "{}", "0", "\"\"",
  ])
  func compactTextIsWhatWasRead(_ text: String) throws {
    #expect(try parse(text).compactText == text)
    #expect(try parse(parse(text).prettyText) == parse(text))
  }

  @Test func prettyTextBreaksLinesButNotListsOfNumbers() throws {
    let text = """
      {
        "shape": [2, 3],
        "names": [
          "a",
          []
        ],
        "none": {}
      }

      """
    #expect(try parse(text).prettyText == text)
  }

  @Test func everyEscapeIsDecoded() throws {
    let value = try parse(#""\"\\\/\b\f\n\r\t\u0041\u00e9\ud83e\udd99\u0000""#)
    #expect(value == .string("\"\\/\u{8}\u{C}\n\r\tA\u{E9}\u{1F999}\0"))
  }

  @Test(arguments: [
    ("\"", "\\\""), ("\\", "\\\\"), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"),
    ("\0", "\\u0000"), ("\u{1F}", "\\u001f"), ("\r\n", "\\r\\n"), ("/", "/"), ("\u{7F}", "\u{7F}"),
    ("é", "é"), ("\u{2028}", "\u{2028}"),
  ])
  func theWriterEscapesWhatItMust(_ raw: String, _ escaped: String) throws {
    #expect(JSONValue.string(raw).compactText == "\"\(escaped)\"")
    #expect(try parse("\"\(escaped)\"") == .string(raw))
  }

  /// What Python writes of such numbers.
  @Test func numbersBeyondJSONOnlyWhereAllowed() throws {
    let text = "[0.0, Infinity, -Infinity, NaN, -1]"
    let value = try JSONValue(parsing: Array(text.utf8), allowingNonFinite: true)
    let numbers = try #require(value.arrayValue).map { $0.doubleValue ?? 7 }
    #expect(numbers[0...2] == [0, .infinity, -.infinity] && numbers[3].isNaN && numbers[4] == -1)
    #expect(value.compactText == "[0.0,Infinity,-Infinity,NaN,-1]")
    #expect(throws: JSONError.self) { try parse(text) }
    for broken in ["Inf", "Infinit", "-Inf", "nan", "Na"] {
      #expect(throws: JSONError.self) {
        try JSONValue(parsing: Array(broken.utf8), allowingNonFinite: true)
      }
    }
  }

  @Test func everyControlCharacterSurvives() throws {
    for code in UInt8(0)..<0x80 {
      let value = JSONValue.string(String(Unicode.Scalar(code)))
      #expect(try parse(value.compactText) == value, "code \(code)")
    }
  }

  @Test(
    arguments: [
      ("", .endsEarly, 0), ("  ", .endsEarly, 2), ("{", .endsEarly, 1), ("[1", .endsEarly, 2),
      ("\"a", .endsEarly, 2), ("\"a\\", .endsEarly, 3), ("\"\\u00", .endsEarly, 5),
      ("tru", .endsEarly, 3), ("{\"a\"", .endsEarly, 4), ("-", .badNumber, 0),
      ("01", .badNumber, 0), ("-01", .badNumber, 0), ("1.", .badNumber, 0), ("1e", .badNumber, 0),
      ("1e+-1", .badNumber, 0), ("[.5]", .unexpectedByte(0x2E, expected: "a JSON value"), 1),
      ("+1", .unexpectedByte(0x2B, expected: "a JSON value"), 0),
      ("NaN", .unexpectedByte(0x4E, expected: "a JSON value"), 0),
      ("truth", .unexpectedByte(0x74, expected: "a JSON value"), 0),
      ("'a'", .unexpectedByte(0x27, expected: "a JSON value"), 0),
      ("[1,]", .unexpectedByte(0x5D, expected: "a JSON value"), 3),
      ("[1 2]", .unexpectedByte(0x32, expected: "',' or ']'"), 3),
      ("{\"a\":1,}", .unexpectedByte(0x7D, expected: "a string"), 7),
      ("{1:2}", .unexpectedByte(0x31, expected: "a string"), 1),
      ("{\"a\" 1}", .unexpectedByte(0x31, expected: "':'"), 5),
      ("{\"a\":1]", .unexpectedByte(0x5D, expected: "',' or '}'"), 6),
      ("\u{FEFF}1", .unexpectedByte(0xEF, expected: "a JSON value"), 0),
      ("\"\n\"", .controlCharacter(10), 1), ("\"\\n\n\"", .controlCharacter(10), 3),
      ("\"\\x\"", .badEscape, 1), ("\"\\u00g0\"", .badEscape, 1),
      ("\"\\ud800\"", .loneSurrogate, 1), ("\"\\udc00\"", .loneSurrogate, 1),
      ("\"\\ud800\\u0041\"", .loneSurrogate, 1),
      ("{\"a\":1,\"\\u0061\":2}", .repeatedName("a"), 7), ("1 1", .trailingBytes, 2),
      ("{}x", .trailingBytes, 2), ("1\0", .trailingBytes, 1),
    ] as [(String, JSONError.Fault, Int)])
  func isRefused(_ text: String, _ fault: JSONError.Fault, _ offset: Int) {
    #expect(throws: JSONError(fault, at: offset)) { try parse(text) }
  }

  @Test(
    arguments: [
      ([0x22, 0xFF, 0x22], 1), ([0x22, 0xC3, 0xA9, 0xFF, 0x22], 3), ([0x22, 0xC3, 0xA9, 0xC3], 3),
      ([0x22, 0xED, 0xA0, 0x80, 0x22], 1),
    ] as [([UInt8], Int)])
  func bytesThatAreNotUTF8AreRefusedWhereTheyStand(_ bytes: [UInt8], _ offset: Int) {
    #expect(throws: JSONError(.unexpectedByte(bytes[offset], expected: "UTF-8"), at: offset)) {
      try JSONValue(parsing: bytes)
    }
  }

  @Test func nestingEndsAtTheLimit() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    #expect(try parse(nested(127)).compactText == nested(127))
    #expect(throws: JSONError(.tooDeep(limit: 127), at: 127)) { try parse(nested(128)) }
    #expect(throws: JSONError(.tooDeep(limit: 127), at: 127)) {
      try parse(String(repeating: "[", count: 1_000_000))
    }
  }

  /// Names that Swift strings equate but whose bytes differ are two names.
  @Test func namesAreComparedAsBytes() throws {
    let text = "{\"\u{E9}\":1,\"e\u{301}\":2}"
    #expect(try parse(text).members?.count == 2)
  }

  @Test func membersAreReplacedInPlaceAppendedAndRemoved() throws {
    var value = try parse(#"{"a":1,"b":2}"#)
    value["a"] = "x"
    value["c"] = true
    value["b"] = nil
    value["d"] = nil
    #expect(value.compactText == #"{"a":"x","c":true}"#)
  }

  @Test func integersAreThoseSpelledAsIntegers() throws {
    #expect(try parse("12").intValue == 12)
    for text in ["12.0", "1e2", "9223372036854775808", "\"12\""] {
      #expect(try parse(text).intValue == nil, "\(text)")
    }
  }

  @Test func doublesReadBackAsTheyWere() throws {
    for value in [0, -1.5, 0.1, 1e300, 0x1p-1074, 123_456_789, 1e15, 2e15 + 1] {
      #expect(try parse(JSONValue.double(value).compactText).doubleValue == value)
    }
    #expect(JSONValue.double(.nan) == .null)
    #expect(JSONValue.double(.infinity) == .null)
  }
}
