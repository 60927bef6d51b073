/// A sentence about what was found, with how much it matters.
struct Finding {
  enum Level: String {
    case warning = "Warning"
    case notice = "Notice"
    case figure = "Measured"
    case sound = "Sound"
    case advice = "Advice"
  }

  let level: Level
  let words: FindingWords
  /// What the sentence announces, one below the other.
  let items: [FindingWords]
  /// A command line that it ends with, to copy.
  let command: String?

  init(
    _ level: Level, _ words: FindingWords, items: [FindingWords] = [], command: String? = nil
  ) {
    self.level = level
    self.words = words
    self.items = items
    self.command = command
  }
}

/// Words of which some are names, or what the eye should find first.
struct FindingWords: ExpressibleByStringInterpolation {
  fileprivate enum Piece {
    case plain(String)
    case code(String)
    case strong(String)
  }

  fileprivate var pieces: [Piece]

  init(stringLiteral value: String) { pieces = [.plain(value)] }

  init(stringInterpolation: Interpolation) { pieces = stringInterpolation.pieces }

  struct Interpolation: StringInterpolationProtocol {
    fileprivate var pieces: [Piece] = []

    init(literalCapacity: Int, interpolationCount: Int) {}

    mutating func appendLiteral(_ literal: String) { pieces.append(.plain(literal)) }
    mutating func appendInterpolation(_ words: FindingWords) { pieces += words.pieces }
    mutating func appendInterpolation(_ text: String) { pieces.append(.plain(text)) }
    mutating func appendInterpolation(_ number: Int) { pieces.append(.plain("\(number)")) }
    mutating func appendInterpolation(code: String) { pieces.append(.code(code)) }
    mutating func appendInterpolation(strong: String) { pieces.append(.strong(strong)) }
  }
}

extension [FindingWords] {
  func joined(separator: String) -> FindingWords {
    var joined: FindingWords = ""
    for (index, words) in enumerated() {
      if index > 0 { joined.pieces.append(.plain(separator)) }
      joined.pieces += words.pieces
    }
    return joined
  }
}

// MARK: - On pages

extension FindingWords {
  var markup: Markup {
    pieces.map { piece -> Markup in
      switch piece {
      case .plain(let text): "\(text)"
      case .code(let text): "<code>\(text)</code>"
      case .strong(let text): "<b>\(text)</b>"
      }
    }.joined()
  }
}

extension [Finding] {
  var markup: Markup {
    "<ul class=\"findings\">\(map(\.markup).joined())</ul>"
  }
}

extension Finding {
  fileprivate var markup: Markup {
    let list: Markup =
      items.isEmpty ? "" : "<ul>\(items.map { "<li>\($0.markup)</li>" as Markup }.joined())</ul>"
    let line: Markup = command.map { "<pre><code>\($0)</code></pre>" } ?? ""
    return """
      <li class="\(level.rawValue.lowercased())"><b class="level">\(level.rawValue)</b> \
      <div>\(words.markup)\(list)\(line)</div></li>

      """
  }
}

// MARK: - In terminals

extension [Finding] {
  /// A paragraph for each, none of its lines longer than the terminal is wide.
  func text(_ terminal: Terminal) -> String {
    map { finding in
      let isWarning = finding.level == .warning
      let label = isWarning ? "warning: " : ""
      let lines = wrap(label + finding.words.text(terminal), width: terminal.width - 2)
      var text = ""
      for (index, line) in lines.enumerated() {
        text += (index == 0 ? "- " : "  ") + line + "\n"
      }
      if isWarning {
        text = text.replacing(
          "warning:", with: terminal.style.yellow("warning:"), maxReplacements: 1)
      }
      for item in finding.items {
        for (index, line) in wrap(item.text(terminal), width: terminal.width - 4).enumerated() {
          text += (index == 0 ? "  - " : "    ") + line + "\n"
        }
      }
      // In one piece, however long.
      return text + (finding.command.map { "  " + printable($0) + "\n" } ?? "")
    }.joined()
  }
}

extension FindingWords {
  func text(_ terminal: Terminal) -> String {
    let text = pieces.map { piece in
      switch piece {
      case .plain(let text), .code(let text), .strong(let text): printable(text)
      }
    }.joined()
    guard !terminal.isUnicode else { return text }
    return [("–", "-"), ("’", "'"), ("∞", "inf"), ("−", "-"), ("²", "^2")].reduce(text) {
      $0.replacing($1.0, with: $1.1)
    }
  }
}
