import Convert
import Stats

/// What several models' tensors are like, kind by kind.
struct ModelComparison {
  /// Figures of a model's tensors of one kind, inside the layers.
  struct Row {
    let model: Int
    let layerCount: Int
    let absMax: Double
    /// Of all values together.
    let standardDeviation: Double?
    /// Median of the layers'.
    let kurtosis: Double?
    /// The layer of the largest kurtosis.
    let worst: (layer: Int, kurtosis: Double)?
    /// Largest of the layers' ratios.
    let channelRatio: Double?
    /// At 4 bits in the kind's usual scheme, of all layers together, in dB.
    let sqnr: Double?
  }

  /// At least two.
  let models: [MeasuredModel]

  /// The models' names: the last parts of their paths, or the paths where these would not tell them apart.
  var names: [String] {
    let titles = models.map { modelTitle($0.path) }
    return Set(titles).count == titles.count ? titles : models.map(\.path)
  }

  /// The kinds that were measured of any model.
  var kinds: [TensorStatistics.Kind] {
    TensorStatistics.Kind.allCases.filter { kind in
      models.contains { $0.layerSummaries.contains { $0.kind == kind && $0.layer != nil } }
    }
  }

  /// A row for each model that has anything of the kind.
  func rows(_ kind: TensorStatistics.Kind) -> [Row] {
    models.enumerated().compactMap { index, model in
      let layers = model.layerSummaries.filter { $0.kind == kind && $0.layer != nil }
      guard !layers.isEmpty else { return nil }
      var moments = Moments()
      for layer in layers { moments.merge(layer.moments) }
      let known = layers.compactMap { summary in
        summary.layer.flatMap { layer in summary.kurtosis.map { (layer: layer, kurtosis: $0) } }
      }
      return Row(
        model: index, layerCount: layers.count,
        absMax: layers.map { Double($0.absMax) }.max() ?? 0,
        standardDeviation: moments.standardDeviation,
        kurtosis: known.isEmpty ? nil : StatisticsSummary.median(known.map(\.kurtosis)),
        worst: known.max { $0.kurtosis < $1.kurtosis },
        channelRatio: layers.compactMap(\.channelRatio).max(),
        sqnr: StatisticsSummary.sqnr(of: layers, kind.usualScheme, bits: 4))
    }
  }
}
