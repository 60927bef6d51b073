import Formats
import Foundation
import Testing

@testable import Convert

/// Packed files whose manifest says something else about what packing lost.
@Suite struct RecordedErrorTests {
  /// Changes the largest errors that `packed` records, and seals its header again.
  private func editLargestErrors(_ folder: TemporaryFolder, _ change: (Double) -> Double) throws {
    var bytes = try folder.bytes("packed/model.safetensors")
    let length = 8 + (0..<8).reduce(0) { $0 | Int(bytes[$1]) << (8 * $1) }
    let label = #"\"largest_error\":"#
    var parts = String(decoding: bytes[8..<length], as: UTF8.self).components(separatedBy: label)
    for index in parts.indices.dropFirst() {
      let recorded = try #require(Double(parts[index].prefix(16)))
      let changed = String(format: "%.10e", change(recorded))
      try #require(changed.utf8.count == 16)
      parts[index] = changed + parts[index].dropFirst(16)
    }
    var text = parts.joined(separator: label)
    let digits = try #require(text.range(of: "\"decant.header_xxh64\":\"")).upperBound
    text.replaceSubrange(
      digits..<text.index(digits, offsetBy: 16), with: HeaderChecksum.placeholder)
    var edited = Array(bytes[..<8]) + Array(text.utf8)
    HeaderChecksum.seal(&edited)
    try #require(!bytes.starts(with: edited))
    bytes.replaceSubrange(..<length, with: edited)
    try folder.write(bytes, to: "packed/model.safetensors")
  }

  private func findings(_ change: (Double) -> Double) throws -> [String] {
    let folder = try TemporaryFolder()
    let source = try JudgedSource.floats.write("source", in: folder)
    var options = ConversionOptions()
    options.bits = 2
    options.method = .minmax
    try convert(source, to: folder.path("packed"), options: options)
    try editLargestErrors(folder, change)
    return try validate(folder.path("packed"), against: source).map(\.rule)
  }

  /// As files of decant 0.1.0 have it.
  @Test func aLargestErrorRoundedToFloatHolds() throws {
    #expect(try findings { Double(Float($0)) } == [])
  }

  @Test func anotherLargestErrorIsFound() throws {
    #expect(
      try findings { $0 * (1 + 1e-6) }
        == Array(repeating: "recorded_error", count: JudgedSource.floats.weights.count))
  }
}
