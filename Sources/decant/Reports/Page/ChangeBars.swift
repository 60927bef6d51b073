import Forward

/// How many tokens a model predicts better or worse than another does, and by how much: a bar for each range
/// of the change, which grow in steps of about three.
struct ChangeBars {
  /// In nats; at least one.
  let changes: Percentiles

  private static let limits: [Double] = [
    -3, -1, -0.3, -0.1, -0.03, -0.01, 0.01, 0.03, 0.1, 0.3, 1, 3,
  ]
  private static let (left, top, width, height) = (16.0, 20.0, 428.0, 190.0)
  private static let (fullWidth, fullHeight) = (460.0, 244.0)

  /// Of tokens, in each of the ranges, from the most improved on.
  var shares: [Double] {
    let all = changes.count
    var before = 0
    var shares: [Double] = []
    for limit in Self.limits.map({ changes.count(below: $0) }) + [all] {
      shares.append(Double(limit - before) / Double(all))
      before = limit
    }
    return shares
  }

  var markup: Markup {
    let shares = shares
    let largest = shares.max() ?? 1
    let step = Self.width / Double(shares.count)
    let base = Self.top + Self.height
    var drawing: Markup = ""
    for (index, share) in shares.enumerated() {
      let height = Self.height * share / largest
      let place = Self.left + step * Double(index)
      let middle = Self.limits.count / 2
      let style = index < middle ? "k" : index > middle ? "a" : "still"
      drawing += """
        <rect class="bar \(style)" x="\(place + 1.5)" y="\(base - height)" width="\(step - 3)" \
        height="\(height)"><title>\(words(index)): \(percentText(share))</title></rect>
        """
      guard share > 0 else { continue }
      drawing += """
        <text class="tick" x="\(place + step / 2)" y="\(base - height - 5)" \
        text-anchor="middle">\(roughText(100 * share))</text>
        """
    }
    for (index, limit) in Self.limits.enumerated() {
      drawing += """
        <text class="tick" x="\(Self.left + step * Double(index + 1))" y="\(base + 17)" \
        text-anchor="middle">\(tickText(limit))</text>
        """
    }
    return """
      <figure class="curve"><figcaption><b>Change of the loss</b>: % of the tokens</figcaption>\
      <svg viewBox="0 0 \(Self.fullWidth) \(Self.fullHeight)" role="img" aria-label="Change of the \
      loss of single tokens"><desc>\(description)</desc>\
      <line class="axis" x1="\(Self.left)" x2="\(Self.left + Self.width)" y1="\(base)" y2="\(base)"/>\
      \(drawing)<text class="tick" x="\(Self.left)" y="\(base + 32)">better</text>\
      <text class="tick" x="\(Self.left + Self.width)" y="\(base + 32)" text-anchor="end">worse, in \
      nats</text></svg></figure>
      """
  }

  private var description: String {
    let better = Double(changes.count(below: -0.1)) / Double(changes.count)
    let rest = Double(changes.count(below: 0.1)) / Double(changes.count)
    return "\(percentText(better)) of the tokens lose 0.1 nats less, or still less; "
      + "\(percentText(1 - rest)) lose 0.1 nats more, or still more."
  }

  private func words(_ index: Int) -> String {
    let limits = Self.limits
    if index == 0 { return "less than \(tickText(limits[0]))" }
    if index == limits.count { return "\(tickText(limits[index - 1])) and more" }
    return "\(tickText(limits[index - 1])) to \(tickText(limits[index]))"
  }
}
