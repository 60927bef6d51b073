import Convert

/// How far single channels, and single tokens, of keys and values stand above the rest: what KIVI
/// (arXiv 2402.02750, section 3) looks at to choose per-channel or per-token scales.
struct CacheContrast {
  let figures: LayerFigures

  var markup: Markup {
    let kinds = figures.kinds.filter(\.isCache)
    guard !kinds.isEmpty else {
      return "<p>No cache was measured: give a dump of keys and values with <code>--kv</code>.</p>"
    }
    let scale = LogScale(
      kinds.flatMap(figures.summaries).compactMap { $0 }
        .flatMap { [$0.channelRatio, $0.tokenRatio] }.compactMap { $0 } + [1])
    let panels = kinds.map { kind in
      let summaries = figures.summaries(kind)
      return LinePanel(
        title: """
          <span class="key \(kind.style)">\(kind.letter)</span> <b>\(kind.title)</b> \
          channels (solid), tokens (dashed)
          """,
        name: "\(kind.title), channel ratio / token ratio", axis: .layers(figures.layers),
        scale: scale,
        lines: [
          .init(style: kind.style, figures: summaries.map { $0?.channelRatio }),
          .init(style: kind.style + " token", figures: summaries.map { $0?.tokenRatio }),
        ]
      ).markup
    }.joined()
    return """
      <div class="panels contrast">\(panels)</div>
      <p class="note">The largest AbsMax over the median one, along each axis. Where channels stand \
      out further than tokens, scales by channel lose less; where tokens do, scales by token.</p>
      """
  }
}
