import Convert
import Foundation

/// What a page was made from, and what is on it as data.
struct PageOrigin {
  /// As it was typed, from the program's name on.
  let command: String
  /// The models, each with its files.
  let models: [(path: String, files: [BitPlan.Input])]
  /// As JSON, and what there is to know of it.
  let data: String
  var remark = ""

  /// Files named before the rest is only counted.
  private static let listed = 3

  var markup: Markup {
    let size = ByteSize(bytes: data.utf8.count).text
    let encoded = Data(data.utf8).base64EncodedString()
    return """
      <section class="origin" aria-labelledby="origin"><h2 id="origin">Made from</h2>
      <dl class="definitions">\(models.map(files).joined())
      <div><dt>Command</dt><dd><code>\(command)</code></dd></div>
      <div><dt>Program</dt><dd>decant \(decantVersion)</dd></div>
      <div><dt>Data</dt><dd><a download="decant.json" href="data:application/json;base64,\(encoded)">\
      Figures of this page as JSON, \(size)</a>\(remark)</dd></div></dl></section>

      """
  }

  private func files(_ model: (path: String, files: [BitPlan.Input])) -> Markup {
    let named = model.files.prefix(Self.listed).map { file -> Markup in
      """
      <br/>\(file.name), \(ByteSize(bytes: file.byteCount).text), XXH64 of the header \
      <code>\(String(format: "%016llx", file.checksum))</code>
      """
    }
    let rest = model.files.count - named.count
    let more: Markup = rest > 0 ? "<br/>and \(countText(rest, "more file"))" : ""
    return """
      <div><dt>Model</dt><dd><code>\(model.path)</code>\(named.joined())\(more)</dd></div>

      """
  }
}
