import Convert
import Stats

/// A map of magnitudes as a picture: channels across, tokens down, the colour by how far a cell is above the
/// median cell.
struct MagnitudePicture {
  let title: Markup
  /// The title without markup.
  let name: String
  let grid: MagnitudeGrid

  static let scale = HeatScale.multiples

  /// Of the cells over their median; infinite where that is 0.
  private var multiples: [Double] {
    let median = StatisticsSummary.median(grid.cells)
    return grid.cells.map { median > 0 ? $0 / median : $0 > 0 ? .infinity : 0 }
  }

  var markup: Markup {
    let multiples = multiples
    return """
      <figure class="map-figure"><figcaption>\(title)</figcaption><svg class="raster" \
      viewBox="0 0 \(grid.columnCount) \(grid.rowCount)" preserveAspectRatio="none" role="img" \
      aria-label="\(name)"><desc>Channels across, tokens down. The largest cell is \
      \(figureText(multiples.max())) times the median cell.</desc>\
      <rect class="ground" width="\(grid.columnCount)" height="\(grid.rowCount)"/>\
      <g transform="translate(0 .5)">\(paths(multiples))</g></svg></figure>

      """
  }

  /// A path for each colour: runs of cells, row by row. The first colour is the ground's.
  private func paths(_ multiples: [Double]) -> Markup {
    var paths = Array(repeating: "", count: 9)
    let columns = grid.columnCount
    let steps = multiples.map { Self.scale.step($0) ?? 0 }
    for row in 0..<grid.rowCount {
      var column = 0
      while column < columns {
        let own = steps[row * columns + column]
        var end = column + 1
        while end < columns, steps[row * columns + end] == own { end += 1 }
        if own > 0 { paths[own] += "M\(column) \(row)h\(end - column)" }
        column = end
      }
    }
    return paths.enumerated().dropFirst().map { step, path -> Markup in
      path.isEmpty ? "" : "<path class=\"s\(step)\" d=\"\(path)\"/>"
    }.joined()
  }
}
