/// The checksum that a packed file's header carries of itself.
///
/// It is the XXH64 of everything before the data, padding included, with the sixteen
/// digits of the checksum itself taken as zeros. With it no bit of the header can change unseen;
/// the tensors have checksums of their own.
package enum HeaderChecksum {
  package static let placeholder = String(repeating: "0", count: 16)

  /// What a header is written in.
  package enum Form: Sendable {
    case safetensors
    case gguf

    /// What stands right before the digits.
    fileprivate var marker: [UInt8] {
      let key = Array(Manifest.headerChecksumKey.utf8)
      return switch self {
      case .safetensors: Array("\"".utf8) + key + Array("\":\"".utf8)
      // A value of type 8, a string, of 16 bytes.
      case .gguf: key + [8, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0]
      }
    }
  }

  /// Replaces the placeholder in `header`, all that comes before the data, by the checksum.
  package static func seal(_ header: inout [UInt8], _ form: Form = .safetensors) {
    guard let digits = digitRange(in: header, form) else {
      preconditionFailure("a header to be sealed carries \(Manifest.headerChecksumKey)")
    }
    let checksum = XXH64.digest(header).hexDigits
    header.replaceSubrange(digits, with: checksum.utf8)
  }

  /// Whether the checksum inside `header` is right; nil where it carries none.
  package static func isIntact(_ header: [UInt8], _ form: Form = .safetensors) -> Bool? {
    guard let digits = digitRange(in: header, form) else { return nil }
    var blank = header
    blank.replaceSubrange(digits, with: placeholder.utf8)
    return Array(XXH64.digest(blank).hexDigits.utf8) == Array(header[digits])
  }

  /// Where the sixteen digits stand: after the first occurrence of the marker, which the writer
  /// puts before any text of the user's.
  private static func digitRange(in header: [UInt8], _ form: Form) -> Range<Int>? {
    let marker = form.marker
    let needed = marker.count + placeholder.utf8.count
    guard header.count >= needed else { return nil }
    for start in 0...header.count - needed where header[start] == marker[0] {
      if header[start..<start + marker.count].elementsEqual(marker) {
        return start + marker.count..<start + needed
      }
    }
    return nil
  }
}
