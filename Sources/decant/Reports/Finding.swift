/// A sentence about what was found, with how much it matters.
struct PageFinding {
  enum Level: String {
    case warning = "Warning"
    case notice = "Notice"
    case figure = "Measured"
    case sound = "Sound"
  }

  private let level: Level
  private let words: Markup

  init(_ level: Level, _ words: Markup) {
    self.level = level
    self.words = words
  }

  static func list(_ findings: [PageFinding]) -> Markup {
    "<ul class=\"findings\">\(findings.map(\.markup).joined())</ul>"
  }

  private var markup: Markup {
    """
    <li class="\(level.rawValue.lowercased())"><b class="level">\(level.rawValue)</b> <div>\(words)</div></li>

    """
  }
}
