import Convert

/// All tensors in one table that the reader may sort and filter.
struct TensorTable {
  /// Rows shown: more would make the page slow to open.
  static let limit = 2000

  let tensors: [TensorStatistics]

  var markup: Markup {
    let shown = Self.shown(tensors)
    let words =
      shown.count < tensors.count
      ? "The \(groupedText(shown.count)) tensors of largest kurtosis, of "
        + "\(groupedText(tensors.count)); --json has all of them."
      : "\(countText(tensors.count, "tensor")), by falling kurtosis."
    let heads = Self.columns.enumerated().map { index, column -> Markup in
      let order: Markup = index == Self.kurtosis ? " aria-sort=\"descending\"" : ""
      return """
        <th scope="col"\(order)>\
        <button type="button">\(column)</button></th>
        """
    }.joined()
    return """
      <p>\(words)</p>
      <p class="controls"><label for="filter">Filter by name, kind or role</label> \
      <input id="filter" type="search" autocomplete="off" spellcheck="false" \
      aria-controls="tensors"/> <span id="found" role="status"></span></p>
      <div class="scroll tall" tabindex="0" role="region" aria-label="All tensors">\
      <table id="tensors" class="sortable"><caption>All tensors</caption>
      <thead><tr>\(heads)</tr></thead><tbody>\(shown.map(row).joined())</tbody></table></div>
      """
  }

  /// By falling kurtosis, as many as the table has.
  static func shown(_ tensors: [TensorStatistics]) -> [TensorStatistics] {
    let order = tensors.enumerated().sorted {
      (rank($1.element), $0.offset) < (rank($0.element), $1.offset)
    }
    return order.prefix(limit).map(\.element)
  }

  private static let columns = [
    "Tensor", "Kind", "Layer", "Role", "Shape", "Type", "AbsMax", "Std", "Kurtosis", "Crest factor",
    "Beyond 6σ", "Channel ratio", "SQNR, 4 bits",
  ]
  private static let kurtosis = 8

  /// Tensors without kurtosis come last.
  private static func rank(_ tensor: TensorStatistics) -> Double {
    tensor.distribution.moments.kurtosis ?? -1
  }

  private func row(_ tensor: TensorStatistics) -> Markup {
    let values = tensor.distribution
    let figures = [
      figureText(values.absMax.map(Double.init)), figureText(values.moments.standardDeviation),
      figureText(values.moments.kurtosis), figureText(values.crestFactor),
      percentText(values.beyondSixSigma), figureText(tensor.channels?.ratio),
      decibelText(tensor.sqnr(tensor.kind.usualScheme, bits: 4)),
    ]
    let damage: Markup = values.isFinite ? "" : " <strong>NaN or infinity</strong>"
    return """
      <tr><th scope="row">\(tensor.name)\(damage)</th><td>\(tensor.kind.rawValue)</td>\
      <td>\(tensor.layer.map(String.init) ?? "–")</td>\
      <td>\(tensor.role.map { roleText($0) } ?? "–")</td>\
      <td>\(tensor.shape.map(groupedText).joined(separator: " × "))</td>\
      <td>\(tensor.dtype.rawValue)</td>\
      \(figures.map { figure -> Markup in "<td>\(figure)</td>" }.joined())</tr>

      """
  }
}
