import Convert
import Formats

/// Statistics as one page of HTML that needs nothing else: styles, script and drawings are in it.
///
/// The same measurements give the same bytes. The markup is well-formed XML too, and everything but
/// sorting, filtering and tooltips works without the script.
struct StatisticsPage {
  private let measured: MeasuredModel
  private let figures: LayerFigures
  private let command: String

  /// - Parameter command: as it was typed.
  init(_ measured: MeasuredModel, command: String) {
    self.measured = measured
    self.command = command
    figures = LayerFigures(measured)
  }

  var html: String {
    let header = PageHeader(measured: measured, figures: figures)
    return PageFrame(
      title: "\(header.title): outlier statistics", header: header.markup, sections: sections,
      footer: PageFooter(options: measured.options).markup,
      origin: PageOrigin(
        command: command, models: [(measured.path, measured.files)],
        data: StatisticsDocument(measured, isBrief: true).text, remark: StatisticsDocument.brief)
    ).html
  }

  private var sections: [PageFrame.Section] {
    var sections: [PageFrame.Section] = [
      .init(
        id: "findings", title: "Findings",
        lead: "What stands out, before any picture.",
        body: measured.findings.markup)
    ]
    if !measured.advice.isEmpty {
      sections.append(
        .init(
          id: "advice", title: "Advice", lead: "Which widths follow for the weights.",
          body: measured.advice.markup))
    }
    sections += [
      .init(
        id: "layers", title: "Layer by layer",
        lead: "How large, how spread and how heavy-tailed each kind of tensor is, along the depth.",
        body: LayerPanels(figures: figures).markup)
    ]
    let maps = HeatMaps(measured).markup
    if !maps.text.isEmpty {
      sections.append(
        .init(
          id: "roles", title: "Layer and role",
          lead:
            "Where in the model the trouble sits: the stronger the colour, the harder to quantize.",
          body: maps))
    }
    if !figures.kinds.isEmpty {
      sections.append(
        .init(
          id: "histograms", title: "Magnitudes",
          lead: "How the magnitudes of each layer are distributed, on an axis of powers of two.",
          body: HistogramRows(figures: figures).markup))
    }
    if let energies = measured.energies {
      sections.append(
        .init(
          id: "hidden", title: "Hidden states",
          lead: "How much each layer changes what passes through it, and how large its inputs are.",
          body: HiddenStatePanels(energies: energies).markup))
    }
    sections += [
      .init(
        id: "channels", title: "Channels",
        lead: "The tensors in which single channels stand furthest above the others.",
        body: ChannelProfiles(tensors: measured.tensors).markup)
    ]
    if !measured.smoothedInputs.isEmpty {
      sections.append(
        .init(
          id: "smoothing", title: "Inputs, smoothed",
          lead:
            "Outlier channels of the inputs, and what is left of them when the weights take half.",
          body: SmoothingMaps(inputs: measured.smoothedInputs).markup))
    }
    sections.append(
      .init(
        id: "cache", title: "Channels against tokens in the cache",
        lead: "Whether keys and values vary by channel or by token decides how to group them.",
        body: CacheContrast(figures: figures).markup))
    let cacheMaps = CacheMaps(measured.tensors)
    if !cacheMaps.tensors.isEmpty {
      sections.append(
        .init(
          id: "cache-maps", title: "The cache, channel by token",
          lead: "Columns that stand out are channels that are large at all tokens.",
          body: cacheMaps.markup))
    }
    sections += [
      .init(
        id: "bits", title: "What each bit width would keep",
        lead: "Quantized and decoded again: more decibels, less lost.",
        body: RoundTripTables(measured: measured).markup),
      .init(
        id: "all", title: "All tensors",
        lead: "Every tensor’s key figures. A click on a column’s head sorts.",
        body: TensorTable(tensors: measured.tensors).markup),
    ]
    return sections
  }
}
