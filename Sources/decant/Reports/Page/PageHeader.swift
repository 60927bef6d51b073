import Convert
import Model

/// The head of the page: which model, what was measured, and the totals.
struct PageHeader {
  let measured: MeasuredModel
  let figures: LayerFigures

  var title: String { modelTitle(measured.path) }

  var markup: Markup {
    """
    <header><p class="kicker">Outlier statistics</p><h1>\(title)</h1>
    <p class="path"><code>\(measured.path)</code></p>
    \(facts)<dl class="tiles">\(tiles.joined())</dl></header>

    """
  }

  private var facts: Markup {
    guard let config = measured.config else { return "" }
    let counts: [(String, Int?)] = [
      ("layers", config.layerCount), ("hidden", config.hiddenSize),
      ("intermediate", config.intermediateSize), ("heads", config.headCount),
      ("key/value heads", config.keyValueHeadCount), ("head size", config.headDimension),
      ("vocabulary", config.vocabularySize), ("context", config.contextLength),
      ("experts", config.expertCount),
    ]
    let known = counts.compactMap { name, count in
      count.map { count -> Markup in "<li>\(name) <b>\(groupedText(count))</b></li>" }
    }
    let family: Markup = config.modelType.map { type in "<li><b>\(type)</b></li>" } ?? ""
    return "<ul class=\"facts\" aria-label=\"Architecture\">\(family)\(known.joined())</ul>"
  }

  private var tiles: [Markup] {
    shownKinds.map { kind in
      let tensors = measured.tensors.filter { $0.kind == kind }
      guard !tensors.isEmpty else {
        return """
          <div class="tile empty"><dt><span class="key \(kind.style)">\(kind.letter)</span> \
          \(kind.title)</dt><dd>not measured<small>\(remedy(kind))</small></dd></div>
          """
      }
      let values = tensors.reduce(0) { $0 + $1.distribution.count }
      // As everywhere on the page, vectors are left out of what is summed up.
      let matrices = tensors.filter { $0.shape.count > 1 }.map(\.distribution)
      let worst = matrices.compactMap(\.moments.kurtosis).max()
      let largest = matrices.compactMap(\.absMax).max()
      return """
        <div class="tile"><dt><span class="key \(kind.style)">\(kind.letter)</span> \(kind.title)</dt>\
        <dd>\(shortText(values))<small>values in \(countText(tensors.count, "tensor"))</small>\
        <small>AbsMax <b>\(figureText(largest.map(Double.init)))</b>, \
        kurtosis up to <b>\(figureText(worst))</b></small></dd></div>
        """
    }
  }

  /// A model caches keys and values, or what latent attention has in their place.
  private var shownKinds: [TensorStatistics.Kind] {
    let measured = Set(measured.tensors.map(\.kind))
    let hasLatent = measured.contains(.latent) || measured.contains(.rotaryKey)
    return TensorStatistics.Kind.allCases.filter { kind in
      switch kind {
      case .weight, .activation: true
      case .key, .value: !hasLatent || measured.contains(kind)
      case .latent, .rotaryKey: hasLatent
      }
    }
  }

  private func remedy(_ kind: TensorStatistics.Kind) -> Markup {
    switch kind {
    case .weight: "no tensor of the checkpoint matched"
    case .activation: "give a dump of inputs with <code>--activations</code>"
    case .key, .value, .latent, .rotaryKey: "give a dump of the cache with <code>--kv</code>"
    }
  }

  /// `1.05 million`.
  private func shortText(_ count: Int) -> String {
    let value = Double(count)
    for (unit, name) in [(1e12, "trillion"), (1e9, "billion"), (1e6, "million")]
    where value >= 0.9995 * unit {
      return "\(figureText(value / unit)) \(name)"
    }
    return groupedText(count)
  }
}
