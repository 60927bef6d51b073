/// A piece of HTML that is also well-formed XML. What is put into it as `String` is escaped, so that
/// no name in a file can become markup; only other pieces go in as they are.
struct Markup: ExpressibleByStringInterpolation, Sendable {
  private(set) var text: String

  init(stringLiteral value: String) { text = value }

  init(stringInterpolation: Interpolation) { text = stringInterpolation.text }

  struct Interpolation: StringInterpolationProtocol {
    fileprivate var text = ""

    init(literalCapacity: Int, interpolationCount: Int) {
      text.reserveCapacity(literalCapacity + 16 * interpolationCount)
    }

    mutating func appendLiteral(_ literal: String) { text += literal }
    mutating func appendInterpolation(_ piece: Markup) { text += piece.text }
    mutating func appendInterpolation(_ number: Int) { text += String(number) }
    mutating func appendInterpolation(_ words: String) { text += Markup.escape(words) }

    /// A coordinate or length, to a tenth: enough for a screen, and short.
    mutating func appendInterpolation(_ coordinate: Double) {
      text += coordinateText(coordinate)
    }
  }

  static func += (left: inout Markup, right: Markup) { left.text += right.text }

  /// Fit for text and for attributes in double quotes.
  private static func escape(_ words: String) -> String {
    var result = ""
    for character in printable(words).unicodeScalars {
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      // XML has no place for these two, whatever the escape.
      case "\u{fffe}", "\u{ffff}": result += "\u{fffd}"
      default: result.unicodeScalars.append(character)
      }
    }
    return result
  }
}

extension Sequence<Markup> {
  func joined(separator: Markup = "") -> Markup {
    var joined: Markup = ""
    for (index, piece) in enumerated() {
      if index > 0 { joined += separator }
      joined += piece
    }
    return joined
  }
}
