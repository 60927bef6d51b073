import Formats
import Testing

@Suite struct DimensionLimitTests {
  private func header(_ dimensions: Int, _ dimension: String = "1") throws -> SafetensorsHeader {
    let shape = [String](repeating: dimension, count: dimensions).joined(separator: ",")
    let text = #"{"a":{"dtype":"U8","shape":[\#(shape)],"data_offsets":[0,1]}}"#
    return try SafetensorsHeader(text: Array(text.utf8), fileSize: 8 + text.utf8.count + 1)
  }

  @Test func sixtyFourDimensionsAreRead() throws {
    #expect(try header(64).tensors[0].shape == [UInt64](repeating: 1, count: 64))
  }

  @Test(arguments: [65, 100_000]) func moreAreRefused(_ count: Int) {
    #expect(
      throws: SafetensorsError.Violation.tooManyDimensions(tensor: "a", limit: 64, position: 35)
    ) { try header(count) }
  }

  /// What is no number decides, however many there are, and the message stays short.
  @Test func aListOfOtherThingsIsNotCounted() {
    #expect(
      throws: SafetensorsError.Violation.badShape(
        tensor: "a", found: "[" + String(repeating: "-1,", count: 18) + "-1...", position: 35)
    ) { try header(10_000, "-1") }
  }

  @Test func aMemberThatIsNotKnownIsSteppedOver() throws {
    let rest = #","extra":[[{"x":[1,"\u00e9",null]}],2.5e3]"#
    let text = #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]\#(rest)}}"#
    let header = try SafetensorsHeader(
      text: Array(text.utf8), fileSize: 8 + text.utf8.count + 1)
    #expect(header.tensors.count == 1)
    let broken = text.replacing("2.5e3", with: "2.e3")
    #expect(throws: SafetensorsError.Violation.self) {
      try SafetensorsHeader(text: Array(broken.utf8), fileSize: 8 + broken.utf8.count + 1)
    }
  }
}
