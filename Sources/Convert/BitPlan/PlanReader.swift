import Formats

/// Takes a plan apart, and names what is wrong.
struct PlanReader {
  let file: String

  func error(_ reason: String) -> AllocationError { .notAPlan(file: file, reason: reason) }

  func integer(_ value: JSONValue?, _ place: String) throws -> Int {
    guard let number = value?.intValue, number >= 0 else {
      throw error("\(place) must be a whole number")
    }
    return number
  }

  func number(_ value: JSONValue?, _ place: String) throws -> Double {
    guard let number = value?.doubleValue, number.isFinite else {
      throw error("\(place) must be a number")
    }
    return number
  }

  func string(_ value: JSONValue?, _ place: String) throws -> String {
    guard let text = value?.stringValue else { throw error("\(place) must be a string") }
    return text
  }

  func array(_ value: JSONValue?, _ place: String) throws -> [JSONValue] {
    guard let elements = value?.arrayValue else { throw error("\(place) must be an array") }
    return elements
  }
}
