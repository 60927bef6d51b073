import Convert
import Stats

/// How every figure is defined.
struct PageFooter {
  let options: MeasureOptions

  var markup: Markup {
    let definitions: [(String, Markup)] = [
      ("AbsMax", "The largest magnitude."),
      ("Std", "Standard deviation of the population: divided by n, not by n − 1."),
      (
        "Kurtosis",
        """
        Pearson’s: the fourth central moment over the square of the second. 3 for a normal \
        distribution, 1.8 for a uniform one; none where all values are equal.
        """
      ),
      ("Crest factor", "AbsMax over the root mean square."),
      (
        "Quantiles, beyond 6σ",
        """
        Quantiles are linear between the two nearest ranks, as NumPy’s are. All of it is exact for F16 \
        and BF16; F32 values are binned for it, within a relative 2⁻⁸ (0.4 %).
        """
      ),
      (
        "Outlier channel",
        """
        Its AbsMax exceeds \(tickText(options.outlierRatio)) times that of the median \
        channel. The channel and token ratios are the largest AbsMax over the median one.
        """
      ),
      (
        "SQNR",
        """
        Signal to quantization noise ratio: 10 log₁₀ of the sum of squares over the sum of squared \
        errors. Weights: groups of \(options.groupSize) along the inputs, scales by \
        <code>\(options.method.rawValue)</code>. Inputs: symmetric, per token or per tensor. \
        Cache: asymmetric, groups within a token and head (Qllm-Eval) or of tokens within a channel \
        (KIVI).
        """
      ),
      (
        "Emergent outlier feature",
        """
        A channel that reaches magnitude \(tickText(Double(ActivationChannels.outlierMagnitude))) in \
        \(tickText(100 * OutlierFeature.smallestLayerShare)) % of the layers and at \
        \(tickText(100 * OutlierFeature.smallestTokenShare)) % of the tokens (LLM.int8(), arXiv 2208.07339).
        """
      ),
      (
        "Massive activation",
        "Beyond 100, and at least 1,000 times the median magnitude (arXiv 2402.17762)."
      ),
      ("Layers and roles", "Norms, biases and other vectors take no part in what is summed up."),
    ]
    let list = definitions.map { term, words -> Markup in
      "<div><dt>\(term)</dt><dd>\(words)</dd></div>\n"
    }.joined()
    return """
      <section aria-labelledby="definitions"><h2 id="definitions">Definitions</h2>\
      <dl class="definitions">\(list)</dl></section>

      """
  }
}
