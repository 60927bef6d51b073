/// `text` without the characters that could command a terminal or reorder what it shows: controls,
/// line and paragraph separators and bidirectional marks become `\u{1b}` and the like.
///
/// Everything that did not come from this program passes through here before it is printed: names
/// of tensors and files, values of a configuration. A second pass changes nothing.
func printable(_ text: String) -> String {
  // Most names are plain, and there may be many.
  if text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) { return text }
  guard text.unicodeScalars.contains(where: isUnprintable) else { return text }
  var result = String.UnicodeScalarView()
  for scalar in text.unicodeScalars {
    if isUnprintable(scalar) {
      result.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
    } else {
      result.append(scalar)
    }
  }
  return String(result)
}

private func isUnprintable(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.properties.generalCategory {
  case .control, .lineSeparator, .paragraphSeparator: true
  default: scalar.properties.isBidiControl
  }
}
