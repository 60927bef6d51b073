import Convert
import Forward

/// What layers do to the hidden states, and how large the inputs of their linear layers are.
struct HiddenStatePanels {
  let energies: LayerEnergies

  var markup: Markup {
    let layers = energies.layers
    var panels: Markup = ""
    let changes = layers.map { layer in energies.cosine(layer).map { max(0, 1 - $0) } }
    panels +=
      LinePanel(
        title: "<b>Change of the hidden state</b> 1 − cosine", name: "1 − cosine similarity",
        axis: .layers(layers), scale: LogScale(changes.compactMap(\.self)),
        lines: [.init(style: "w", figures: changes)]
      ).markup
    let sums = energies.inputs.map { input in layers.map { energies.sum(input, layer: $0) } }
    let scale = LogScale(sums.flatMap { $0.compactMap(\.self) })
    for (input, figures) in zip(energies.inputs, sums) {
      panels +=
        LinePanel(
          title: """
            <span class="key a">A</span> <b>\(roleText(input))</b> Σ E[x²]
            """,
          name: "Sum of mean squares, \(roleText(input))", axis: .layers(layers), scale: scale,
          lines: [.init(style: "a", figures: figures)]
        ).markup
    }
    return """
      <div class="panels contrast">\(panels)</div>
      \(table)
      <p class="note">Cosine: of the hidden state that enters a layer and the one that leaves it, mean over the \
      tokens; one less it is ShortGPT’s block influence (arXiv 2403.03853). Σ E[x²]: the sum over the channels of \
      the mean square over the tokens, of what linear layers read, as llama.cpp’s \
      <code>imatrix --show-statistics</code> has it. Experts are left out.</p>
      """
  }

  private var table: Markup {
    let heads = (["Cosine"] + energies.inputs.map { "\(roleText($0)), Σ E[x²]" }).map {
      name -> Markup in "<th scope=\"col\">\(name)</th>"
    }.joined()
    let rows = energies.layers.map { layer -> Markup in
      let cells = energies.inputs.map { input -> Markup in
        "<td>\(figureText(energies.sum(input, layer: layer)))</td>"
      }.joined()
      let cosine = energies.cosine(layer).map { decimalText($0, 4) } ?? "–"
      return "<tr><th scope=\"row\">\(layer)</th><td>\(cosine)</td>\(cells)</tr>\n"
    }.joined()
    return """
      <div class="scroll tall" tabindex="0" role="region" aria-label="Hidden states by layer"><table>\
      <caption>Hidden states by layer</caption><thead><tr><th scope="col">Layer</th>\(heads)</tr></thead>\
      <tbody>\(rows)</tbody></table></div>
      """
  }
}
