import Convert
import Stats

/// What the figures of a model say, in words: the first thing a reader sees, on pages and in terminals.
struct StatisticsFindings {
  /// Names listed before the rest is only counted.
  private static let listed = 3

  private let measured: MeasuredModel
  private let figures: LayerFigures

  init(_ measured: MeasuredModel) {
    self.measured = measured
    figures = LayerFigures(measured)
  }

  var all: [Finding] {
    damage + problems + layers + loss + features + massive + channels + cache + bits
  }

  private var damage: [Finding] {
    let damaged = measured.damaged
    guard !damaged.isEmpty else { return [] }
    let named = damaged.prefix(Self.listed).map { tensor -> FindingWords in
      let values = tensor.distribution
      return """
        \(code: tensor.name) (\(groupedText(values.nanCount)) NaN, \
        \(groupedText(values.infinityCount)) infinite, of \(groupedText(values.count)))
        """
    }
    return [
      Finding(
        .warning,
        """
        \(countText(damaged.count, "tensor holds", "tensors hold")) NaN or infinity: \
        \(list(named, of: damaged.count)). These values take no part in the figures.
        """)
    ]
  }

  private var problems: [Finding] {
    guard !measured.problems.isEmpty else { return [] }
    var items = measured.problems.prefix(20).map { "\($0.message)" as FindingWords }
    let rest = measured.problems.count - items.count
    if rest > 0 { items.append("and \(groupedText(rest)) more") }
    return [
      Finding(
        .warning,
        "\(countText(measured.problems.count, "problem")) in the dumps; what is named here was left out:",
        items: items)
    ]
  }

  /// Layers that stand out, and the tensor that makes them.
  private var layers: [Finding] {
    let found = figures.kinds.compactMap { kind -> Finding? in
      let summaries = figures.summaries(kind).compactMap { $0 }
      let outliers = summaries.filter(\.isOutlier)
      guard !outliers.isEmpty else { return nil }
      let kurtosis = StatisticsSummary.median(summaries.compactMap(\.kurtosis))
      let absMax = StatisticsSummary.median(summaries.map { Double($0.absMax) })
      let named = outliers.prefix(Self.listed).map { summary -> FindingWords in
        """
        \(strong: "layer \(summary.layer ?? 0)") (kurtosis \(figureText(summary.kurtosis)), \
        AbsMax \(figureText(Double(summary.absMax)))\(culprit(summary)))
        """
      }
      return Finding(
        .notice,
        """
        \(kind.title) stand out in \(list(named, of: outliers.count)). The median layer has kurtosis \
        \(figureText(kurtosis)) and AbsMax \(figureText(absMax)).
        """)
    }
    // Fewer than three layers cannot differ from their median by as much.
    guard found.isEmpty, figures.layers.count > 2 else { return found }
    return [
      Finding(
        .sound,
        """
        No layer stands out: kurtosis and AbsMax stay within \
        \(tickText(StatisticsSummary.outlierRatio)) times the median of the layers.
        """)
    ]
  }

  /// Layers of which 4 bits lose more than of the others.
  private var loss: [Finding] {
    figures.kinds.compactMap { kind -> Finding? in
      let summaries = figures.summaries(kind).compactMap { $0 }
      func sqnr(_ summary: StatisticsSummary) -> Double? { summary.sqnr(kind.usualScheme, bits: 4) }
      let lossy = summaries.filter(\.isLossy).sorted { sqnr($0) ?? 0 < sqnr($1) ?? 0 }
      guard !lossy.isEmpty else { return nil }
      let median = StatisticsSummary.median(summaries.compactMap(sqnr))
      let named = lossy.prefix(Self.listed).map { summary -> FindingWords in
        "\(strong: "layer \(summary.layer ?? 0)") (\(decibelText(sqnr(summary))) dB)"
      }
      return Finding(
        .notice,
        """
        \(kind.title): 4 bits lose more than \(tickText(StatisticsSummary.lossRatio)) times as much of \
        \(list(named, of: lossy.count)) as of the median layer, which keeps \(decibelText(median)) dB.
        """)
    }
  }

  /// The tensor of largest kurtosis in the layer.
  private func culprit(_ summary: StatisticsSummary) -> FindingWords {
    let tensor = measured.tensors.filter {
      $0.kind == summary.kind && $0.layer == summary.layer && $0.shape.count > 1
    }.max { ($0.distribution.moments.kurtosis ?? 0) < ($1.distribution.moments.kurtosis ?? 0) }
    guard let tensor, summary.tensorCount > 1 else { return "" }
    return """
      ; most of all \(code: tensor.name), kurtosis \
      \(figureText(tensor.distribution.moments.kurtosis))
      """
  }

  private var features: [Finding] {
    guard figures.kinds.contains(.activation) else { return [] }
    let features = measured.outlierFeatures
    guard !features.isEmpty else {
      return [
        Finding(
          .sound,
          """
          No emergent outlier feature: no channel reaches magnitude 6 in a quarter of the layers and \
          at 6 % of the tokens (LLM.int8()).
          """)
      ]
    }
    let named = features.prefix(2 * Self.listed).map { feature -> FindingWords in
      """
      \(strong: groupedText(feature.channel)) (\(countText(feature.layerCount, "layer")), \
      \(percentText(feature.tokenShare)) of the tokens)
      """
    }
    return [
      Finding(
        .notice,
        """
        \(countText(features.count, "emergent outlier feature")) of LLM.int8(): channel \
        \(list(named, of: features.count)). 8-bit inputs need these channels in 16 bits, or smoothed.
        """)
    ]
  }

  private var massive: [Finding] {
    let found = measured.tensors.filter { $0.outliers?.massiveCount ?? 0 > 0 }
    let count = found.reduce(0) { $0 + ($1.outliers?.massiveCount ?? 0) }
    let all = found.flatMap { tensor in
      (tensor.outliers?.massive ?? []).map { (tensor, $0) }
    }
    guard let (tensor, entry) = all.max(by: { $0.1.value.magnitude < $1.1.value.magnitude }) else {
      return []
    }
    return [
      Finding(
        .notice,
        """
        \(countText(count, "massive activation")) in \(countText(found.count, "tensor")): beyond 100 \
        and 1,000 times the median magnitude. The largest is \(figureText(Double(entry.value))), \
        token \(groupedText(entry.row)), channel \(groupedText(entry.column)) of \
        \(code: tensor.name).
        """)
    ]
  }

  private var channels: [Finding] {
    [TensorStatistics.Kind.weight, .activation].compactMap { kind in
      let all = measured.tensors.filter { $0.kind == kind && $0.channels != nil }
      let found = all.filter { $0.channels?.outlierCount ?? 0 > 0 }
      guard let worst = found.max(by: { ($0.channels?.ratio ?? 0) < ($1.channels?.ratio ?? 0) })
      else { return nil }
      return Finding(
        .notice,
        """
        Input channels beyond \(tickText(measured.options.outlierRatio)) times the median channel: in \
        \(groupedText(found.count)) of \(countText(all.count, noun(kind))). The furthest, \
        \(figureText(worst.channels?.ratio)) times, is in \(code: worst.name).
        """)
    }
  }

  private func noun(_ kind: TensorStatistics.Kind) -> String {
    kind == .weight ? "weight" : "input"
  }

  /// Which scales suit the cache at two bits, where it matters most.
  private var cache: [Finding] {
    TensorStatistics.Kind.allCases.filter(\.isCache).compactMap { kind in
      let summaries = measured.layerSummaries.filter { $0.kind == kind }
      guard let token = StatisticsSummary.sqnr(of: summaries, .perTokenGroup, bits: 2),
        let channel = StatisticsSummary.sqnr(of: summaries, .perChannelGroup, bits: 2)
      else { return nil }
      return Finding(
        .figure,
        """
        \(kind.title): \(channel > token ? "per-channel" : "per-token") groups keep more of them. At 2 \
        bits, groups within a channel give \(decibelText(channel)) dB, groups within a token \
        \(decibelText(token)) dB.
        """)
    }
  }

  private var bits: [Finding] {
    let weights = measured.layerSummaries.filter { $0.kind == .weight }
    guard let all = StatisticsSummary.sqnr(of: weights, .group, bits: 4) else { return [] }
    let worst = measured.tensors.filter { $0.kind == .weight && $0.shape.count > 1 }
      .compactMap { tensor in tensor.sqnr(.group, bits: 4).map { (tensor, $0) } }
      .min { $0.1 < $1.1 }
    let least: FindingWords =
      worst.map { tensor, sqnr -> FindingWords in
        "; the least, \(decibelText(sqnr)) dB, is that of \(code: tensor.name)"
      } ?? ""
    return [
      Finding(
        .figure,
        """
        Weights at 4 bits in groups of \(measured.options.groupSize) would keep an SQNR of \
        \(decibelText(all)) dB\(least).
        """)
    ]
  }

  private func list(_ named: [FindingWords], of count: Int) -> FindingWords {
    let rest = count - named.count
    return "\(named.joined(separator: ", "))\(rest > 0 ? " and \(groupedText(rest)) more" : "")"
  }
}
