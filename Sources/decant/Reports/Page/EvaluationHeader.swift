import Convert

/// The head of a page about a model that was run, and how its figures are defined.
struct EvaluationHeader {
  let kicker: String
  let path: String
  /// Short: how it was run.
  let remarks: [String]
  let tiles: [PageTile]

  var markup: Markup {
    let facts = remarks.map { remark -> Markup in "<li>\(remark)</li>" }.joined()
    return """
      <header><p class="kicker">\(kicker)</p><h1>\(modelTitle(path))</h1>
      <p class="path"><code>\(path)</code></p>
      <ul class="facts" aria-label="How it was run">\(facts)</ul>
      <dl class="tiles">\(tiles.map(\.markup).joined())</dl></header>

      """
  }
}

enum EvaluationFooter {
  static var markup: Markup {
    """
    <p class="note">Loss: the negative natural logarithm of the probability that the true token \
    gets, in nats. Perplexity: e to the mean loss. Divergence: Σ p ln(p / q) over the vocabulary, p of the \
    base and q of the model. Errors are standard errors that take tokens as independent, which they are \
    not: the true ones are larger. Perplexities of different windows cannot be compared.</p>

    """
  }
}
