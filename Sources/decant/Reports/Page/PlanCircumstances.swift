import Convert

/// What a plan says besides the widths of weights: a preset, the cache, activations, and what fits a machine.
struct PlanCircumstances {
  let settings: PlanSettings?
  let cache: CacheWidths?
  let activations: ActivationWidths?
  let fit: ModelFit?

  var sections: [PageFrame.Section] {
    [memorySection, presetSection, cacheSection, activationSection].compactMap(\.self)
  }

  private func list(_ lines: [String]) -> Markup {
    "<ul class=\"lines\">\(lines.map { "<li>\($0)</li>" as Markup }.joined())</ul>"
  }

  private var memorySection: PageFrame.Section? {
    guard let fit else { return nil }
    let text = ModelFitText(fit)
    return .init(
      id: "memory", title: "Memory", lead: "\(text.title.capitalizedFirst).",
      body: list(text.lines))
  }

  private var presetSection: PageFrame.Section? {
    guard let settings else { return nil }
    return .init(
      id: "preset", title: "Preset and flags",
      lead: "What the preset \(settings.preset.rawValue) recommends, and how runtimes are told it.",
      body: list(PlanSettingsText(settings).lines))
  }

  private var cacheSection: PageFrame.Section? {
    guard let cache else { return nil }
    let text = CacheWidthsText(cache)
    let rows = text.layers.map { layer -> Markup in
      let cells = (text.cells(.key, layer) + text.cells(.value, layer)).map { cell -> Markup in
        "<td>\(cell)</td>"
      }
      return "<tr><th scope=\"row\">\(layer)</th>\(cells.joined())</tr>\n"
    }
    return .init(
      id: "cache", title: "Cache", lead: "\(text.average); \(text.loss).",
      body: """
        <div class="scroll tall" tabindex="0" role="region" aria-label="Widths of the cache"><table class="words">\
        <caption>Widths of the cache</caption><thead><tr><th scope="col">Layer</th>\
        <th scope="col">Keys</th><th scope="col">SQNR, dB</th><th scope="col">Values</th>\
        <th scope="col">SQNR, dB</th></tr></thead><tbody>\(rows.joined())</tbody></table></div>
        \(list(text.uniform))
        """)
  }

  private var activationSection: PageFrame.Section? {
    guard let activations else { return nil }
    return .init(
      id: "activations", title: "Activations",
      lead: "Widths of the inputs of layers; named are those that ask for a decision.",
      body: list(ActivationWidthsText(activations).lines))
  }
}
