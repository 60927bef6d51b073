import Convert
import Formats

/// Statistics as one page of HTML that needs nothing else: styles, script and drawings are in it.
///
/// The same measurements give the same bytes. The markup is well-formed XML too, and everything but
/// sorting, filtering and tooltips works without the script.
struct StatisticsPage {
  private struct Section {
    let id: String
    let title: String
    let lead: Markup
    let body: Markup
  }

  private let measured: MeasuredModel
  private let figures: LayerFigures

  init(_ measured: MeasuredModel) {
    self.measured = measured
    figures = LayerFigures(measured)
  }

  var html: String {
    let header = PageHeader(measured: measured, figures: figures)
    let sections = sections
    let page: Markup = """
      <!DOCTYPE html>
      <html lang="en" xmlns="http://www.w3.org/1999/xhtml">
      <head><meta charset="utf-8"/>
      <meta name="viewport" content="width=device-width, initial-scale=1"/>
      <meta name="color-scheme" content="light dark"/>
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; \
      style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"/>
      <link rel="icon" href="data:,"/>
      <title>\(header.title): outlier statistics</title>
      <style>\(PageStyle.markup)</style></head>
      <body><a class="skip" href="#main">Skip to the figures</a>
      <div class="page">\(header.markup)\
      <nav aria-label="Sections"><ul>\(sections.map(link).joined())</ul></nav>
      <main id="main">\(sections.map(section).joined())</main>
      \(PageFooter(measured: measured).markup)</div>
      <div id="tip" role="status" hidden="hidden"></div>
      <script>\(PageScript.markup)</script></body></html>

      """
    return page.text
  }

  private func link(_ section: Section) -> Markup {
    "<li><a href=\"#\(section.id)\">\(section.title)</a></li>"
  }

  private func section(_ section: Section) -> Markup {
    """
    <section aria-labelledby="\(section.id)"><h2 id="\(section.id)">\(section.title)</h2>
    <p class="lead">\(section.lead)</p>
    \(section.body)</section>

    """
  }

  private var sections: [Section] {
    var sections = [
      Section(
        id: "findings", title: "Findings",
        lead: "What stands out, before any picture.",
        body: PageFindings(measured: measured, figures: figures).markup),
      Section(
        id: "layers", title: "Layer by layer",
        lead: "How large, how spread and how heavy-tailed each kind of tensor is, along the depth.",
        body: LayerPanels(figures: figures).markup),
    ]
    let maps = HeatMaps(measured).markup
    if !maps.text.isEmpty {
      sections.append(
        Section(
          id: "roles", title: "Layer and role",
          lead:
            "Where in the model the trouble sits: the stronger the colour, the harder to quantize.",
          body: maps))
    }
    if !figures.kinds.isEmpty {
      sections.append(
        Section(
          id: "histograms", title: "Magnitudes",
          lead: "How the magnitudes of each layer are distributed, on an axis of powers of two.",
          body: HistogramRows(figures: figures).markup))
    }
    sections += [
      Section(
        id: "channels", title: "Channels",
        lead: "The tensors in which single channels stand furthest above the others.",
        body: ChannelProfiles(tensors: measured.tensors).markup),
      Section(
        id: "cache", title: "Channels against tokens in the cache",
        lead: "Whether keys and values vary by channel or by token decides how to group them.",
        body: CacheContrast(figures: figures).markup),
      Section(
        id: "bits", title: "What each bit width would keep",
        lead: "Quantized and decoded again: more decibels, less lost.",
        body: RoundTripTables(
          summaries: measured.layerSummaries, groupSize: measured.options.groupSize
        ).markup),
      Section(
        id: "all", title: "All tensors",
        lead: "Every tensor’s key figures. A click on a column’s head sorts.",
        body: TensorTable(tensors: measured.tensors).markup),
    ]
    return sections
  }
}
