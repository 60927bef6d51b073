import Formats
import Model
import Stats

/// Takes the record of a calibration file apart, and names what is wrong.
struct CalibrationReader: JSONRecordReader {
  let file: String

  func error(_ reason: String) -> CalibrationError {
    .notACalibration(file: file, reason: reason)
  }

  func list<Element>(
    _ json: JSONValue?, _ place: String,
    _ element: (JSONValue, String) throws(CalibrationError) -> Element
  ) throws(CalibrationError) -> [Element] {
    var elements: [Element] = []
    for (index, json) in try array(json, place).enumerated() {
      elements.append(try element(json, "\(place)[\(index)]"))
    }
    return elements
  }

  func dictionary<Value>(
    _ json: JSONValue?, _ place: String,
    _ value: (JSONValue?, String) throws(CalibrationError) -> Value
  ) throws(CalibrationError) -> [String: Value] {
    var values: [String: Value] = [:]
    for member in try members(json, place) {
      values[member.name] = try value(member.value, "\(place).\(member.name)")
    }
    return values
  }

  func recordedFile(
    _ json: JSONValue, _ place: String
  ) throws(CalibrationError) -> Manifest.RecordedFile {
    Manifest.RecordedFile(
      name: try string(json["file"], "\(place).file"),
      byteCount: try integer(json["byte_count"], "\(place).byte_count"),
      digest: Digest(.blocks, try checksum(json["digest"], "\(place).digest")))
  }

  func tensor(
    _ json: JSONValue, _ place: String
  ) throws(CalibrationError) -> CalibrationRecord.Tensor {
    let ratio = json["channel_ratio"]
    return CalibrationRecord.Tensor(
      name: try string(json["name"], "\(place).name"),
      shape: try list(json["shape"], "\(place).shape", integer),
      channelRatio: ratio == nil ? nil : try number(ratio, "\(place).channel_ratio"),
      roundTrips: try list(json["round_trips"], "\(place).round_trips", roundTrip))
  }

  private func roundTrip(
    _ json: JSONValue, _ place: String
  ) throws(CalibrationError) -> RoundTrip {
    let name = try string(json["scheme"], "\(place).scheme")
    let size =
      json["group_size"] == nil ? 0 : try integer(json["group_size"], "\(place).group_size")
    guard let known = QuantizationScheme.Name(rawValue: name),
      let scheme = QuantizationScheme(known, groupSize: size)
    else { throw error("\(place).scheme '\(name)' in groups of \(size) is not known") }
    let bits = try integer(json["bits"], "\(place).bits")
    guard (1...16).contains(bits) else { throw error("\(place).bits must be from 1 to 16") }
    var trip = RoundTrip(
      scheme: scheme, bits: bits, error: try quantizationError(json["error"], "\(place).error"))
    if let rest = json["rest"] { trip.rest = try quantizationError(rest, "\(place).rest") }
    return trip
  }

  private func quantizationError(
    _ json: JSONValue?, _ place: String
  ) throws(CalibrationError) -> QuantizationError {
    let names = ["squared_norm", "squared_error", "largest_error"]
    var numbers: [Double] = []
    for name in names {
      let number = try number(json?[name], "\(place).\(name)")
      guard number >= 0 else { throw error("\(place).\(name) must not be negative") }
      numbers.append(number)
    }
    return QuantizationError(
      squaredNorm: numbers[0], squaredError: numbers[1], largestError: numbers[2])
  }
}

extension QuantizationScheme {
  /// - Parameter groupSize: 0 where there is none.
  fileprivate init?(_ name: Name, groupSize: Int) {
    switch (name, groupSize) {
    case (.perTensor, 0): self = .perTensor
    case (.perToken, 0): self = .perToken
    case (.group, 1...): self = .group(size: groupSize)
    case (.perTokenGroup, 1...): self = .perTokenGroup(size: groupSize)
    case (.perChannelGroup, 1...): self = .perChannelGroup(tokens: groupSize)
    default: return nil
    }
  }
}
