import Forward
import Foundation

/// A figure of a page's head: its name, its value, and a word about it.
struct PageTile {
  let name: String
  let value: String
  let note: String

  init(name: String, value: String, note: String) {
    self.name = name
    self.value = value
    self.note = note
  }

  /// The perplexity, with its standard error.
  init(name: String, perplexityOf loss: LossSummary) {
    self.init(
      name: name, value: figureText(loss.perplexity.mean),
      note: "± \(figureText(loss.perplexity.standardError))")
  }

  var markup: Markup {
    "<div class=\"tile\"><dt>\(name)</dt><dd>\(value)<small>\(note)</small></dd></div>"
  }
}

/// What a page calls the model at a path: the path's last part.
func modelTitle(_ path: String) -> String {
  let name = URL(fileURLWithPath: path).lastPathComponent
  return name.isEmpty || name == "/" ? path : name
}
