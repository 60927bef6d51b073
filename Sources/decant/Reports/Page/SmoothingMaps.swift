import Convert

/// Inputs of layers by channel and token, as they are and smoothed: SmoothQuant's picture (arXiv 2211.10438).
struct SmoothingMaps {
  let inputs: [SmoothedInput]

  var markup: Markup {
    """
    \(MagnitudePicture.scale.legend { "\(tickText($0))×" })
    <div class="rasters">\(inputs.map(pair).joined())</div>
    <p class="note">Channels run from left to right, tokens from top to bottom; a cell is the largest |x| of \
    its channels and tokens, and its colour says how many times the median cell of its picture that is. \
    Smoothed: each channel divided by max|X|^α / max|W|^(1 − α), α = \(tickText(SmoothedInput.alpha)) (Eq. 4), \
    which the weights are multiplied with. Shown are the first and the last layer, and those whose channels \
    stand out furthest.</p>
    """
  }

  private func pair(_ input: SmoothedInput) -> Markup {
    """
    <section class="card raster-pair"><h3>Layer \(input.layer) <small><code>\(input.name)</code>, \
    \(groupedText(input.channelCount)) channels, \(countText(input.tokenCount, "token"))</small></h3>
    <div>\(MagnitudePicture(
      title: "As it is: largest channel <b>\(figureText(input.spread))×</b> the median one",
      name: "\(input.name) by channel and token", grid: input.before).markup)\
    \(MagnitudePicture(
      title: "Smoothed: <b>\(figureText(input.smoothedSpread))×</b>",
      name: "\(input.name) by channel and token, smoothed", grid: input.after).markup)</div>
    <p class="named">The same of the weights: \(figureText(input.weightSpread))×, then \
    \(figureText(input.smoothedWeightSpread))×.</p></section>

    """
  }
}
