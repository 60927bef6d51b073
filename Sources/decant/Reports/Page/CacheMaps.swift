import Convert
import Stats

/// Keys and values by channel and token: KIVI's picture (arXiv 2402.02750, figure 2), and the same of what latent
/// attention caches.
struct CacheMaps {
  /// Of the cache, with maps.
  let tensors: [TensorStatistics]

  init(_ tensors: [TensorStatistics]) {
    self.tensors = tensors.filter { $0.kind.isCache && $0.map != nil }
  }

  var markup: Markup {
    let layers = Set(tensors.compactMap(\.layer)).sorted()
    return """
      \(MagnitudePicture.scale.legend { "\(tickText($0))×" })
      <div class="rasters">\(layers.map(card).joined())</div>
      <p class="note">Channels of all heads run from left to right, tokens from top to bottom; a cell is \
      the largest |x| of its channels and tokens, and its colour says how many times the median cell of its picture \
      that is. KIVI (arXiv 2402.02750) finds outlier channels among keys and none among values. Shown are the first and the last layer, and those whose key channels stand out \
      furthest.</p>
      """
  }

  private func card(_ layer: Int) -> Markup {
    let pictures = tensors.filter { $0.layer == layer }.map { tensor -> Markup in
      guard let map = tensor.map else { return "" }
      return MagnitudePicture(
        title: """
          <span class="key \(tensor.kind.style)">\(tensor.kind.letter)</span> \(tensor.kind.title): largest \
          channel <b>\(figureText(tensor.channels?.ratio))×</b> the median one
          """,
        name: "\(tensor.kind.title) of layer \(layer) by channel and token", grid: map.grid()
      ).markup
    }
    return """
      <section class="card raster-pair"><h3>Layer \(layer)</h3>
      <div>\(pictures.joined())</div></section>

      """
  }
}
