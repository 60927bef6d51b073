/// Takes JSON apart that decant wrote, and names what is wrong.
package protocol JSONRecordReader {
  associatedtype Failure: Error

  func error(_ reason: String) -> Failure
}

extension JSONRecordReader {
  package func integer(_ value: JSONValue?, _ place: String) throws(Failure) -> Int {
    guard let number = value?.intValue, number >= 0 else {
      throw error("\(place) must be a whole number")
    }
    return number
  }

  package func number(_ value: JSONValue?, _ place: String) throws(Failure) -> Double {
    guard let number = value?.doubleValue, number.isFinite else {
      throw error("\(place) must be a number")
    }
    return number
  }

  package func string(_ value: JSONValue?, _ place: String) throws(Failure) -> String {
    guard let text = value?.stringValue else { throw error("\(place) must be a string") }
    return text
  }

  package func array(_ value: JSONValue?, _ place: String) throws(Failure) -> [JSONValue] {
    guard let elements = value?.arrayValue else { throw error("\(place) must be an array") }
    return elements
  }

  package func members(
    _ value: JSONValue?, _ place: String
  ) throws(Failure) -> [JSONValue.Member] {
    guard let members = value?.members else { throw error("\(place) must be an object") }
    return members
  }

  /// Sixteen hexadecimal digits.
  package func checksum(_ value: JSONValue?, _ place: String) throws(Failure) -> UInt64 {
    let digits = try string(value, place)
    guard let value = UInt64(hexDigits: digits) else {
      throw error("\(place) must be sixteen hexadecimal digits")
    }
    return value
  }
}
