import Convert
import Formats
import Model
import Stats

/// One tensor closely, as text for people.
struct TensorView {
  private let tensor: TensorStatistics

  init(_ tensor: TensorStatistics) { self.tensor = tensor }

  func text(_ terminal: Terminal) -> String {
    let parts = [
      head(terminal), figures(terminal), histogram(terminal), outliers(terminal), losses(terminal),
    ]
    return parts.filter { !$0.isEmpty }.joined(separator: "\n")
  }

  private var values: Distribution { tensor.distribution }

  private func head(_ terminal: Terminal) -> String {
    let place = tensor.layer.map { ", layer \($0)" } ?? ""
    var text =
      terminal.style.bold(printable(tensor.name)) + "\n"
      + "\(tensor.kind.rawValue)\(tensor.role.map { ", " + $0.rawValue } ?? "")\(place), "
      + "\(tensor.dtype.rawValue) \(tensor.shape), \(values.count) values\n"
    if !values.isFinite {
      text +=
        terminal.style.yellow("warning:")
        + " \(values.nanCount) NaN and \(values.infinityCount) infinities;"
        + " the figures are of the other \(values.finiteCount) values\n"
    }
    return text
  }

  private func figures(_ terminal: Terminal) -> String {
    let moments = values.moments
    let sigma = Self.sigma(terminal)
    let quantiles = zip(Distribution.quantileLevels, values.quantiles)
      .map { "\(($0 * 1e6).rounded() / 1e4) % \(figure($1))" }.joined(separator: ", ")
    return """
      min \(figure(values.minimum.map(Double.init))), max \(figure(values.maximum.map(Double.init))), \
      AbsMax \(figure(values.absMax.map(Double.init)))
      mean \(figure(moments.count > 0 ? moments.mean : nil)), std \(figure(moments.standardDeviation)), \
      skewness \(figure(moments.skewness)), kurtosis \(figure(moments.kurtosis)) (normal: 3)
      crest factor \(figure(values.crestFactor)), beyond 3\(sigma) \(percent(values.beyondThreeSigma)), \
      beyond 6\(sigma) \(percent(values.beyondSixSigma))
      zeros \(values.zeroCount), subnormals \(values.subnormalCount), NaN \(values.nanCount), \
      infinities \(values.infinityCount)
      quantiles: \(quantiles)\(values.relativeError > 0 ? " (within \(percent(values.relativeError)))" : "")

      """ + (tensor.meanSquareSum.map { energy($0, terminal) } ?? "")
  }

  private func energy(_ sum: Double, _ terminal: Terminal) -> String {
    "sum of the channels' mean squares, E[\(terminal.isUnicode ? "x²" : "x^2")]: \(figure(sum))\n"
  }

  private static func sigma(_ terminal: Terminal) -> String { terminal.isUnicode ? "σ" : "s" }

  /// Counts on a logarithmic scale over the distance from the mean, with marks below.
  private func histogram(_ terminal: Terminal) -> String {
    guard let histogram = values.sigmaHistogram else { return "" }
    // As many bins to a column as make the chart fit.
    let perColumn = [1, 2, 4, 5].first { histogram.counts.count / $0 <= terminal.width - 2 } ?? 8
    let counts = stride(from: 0, to: histogram.counts.count, by: perColumn).map {
      histogram.counts[$0..<min($0 + perColumn, histogram.counts.count)].reduce(0, +)
    }
    let bars = BarChart(isUnicode: terminal.isUnicode).bars(counts, lines: 6)
    let sigma = Self.sigma(terminal)
    var marks = Array(repeating: Character(" "), count: counts.count + 4)
    for distance in [-6, -3, 0, 3, 6] {
      let column =
        (distance + SigmaHistogram.limit) * SigmaHistogram.binsPerSigma / perColumn
      let label = distance == 0 ? "|mean" : "|\(distance)\(sigma)"
      for (offset, mark) in label.enumerated()
      where column + offset < marks.count {
        marks[column + offset] = mark
      }
    }
    let beyond =
      histogram.below + histogram.above > 0
      ? "beyond \(SigmaHistogram.limit)\(sigma): \(histogram.below) below, \(histogram.above) above\n"
      : ""
    return (bars.drop { !$0.contains { $0 != " " } } + [String(marks)])
      .map { line in
        let end = line.lastIndex { $0 != " " }.map(line.index(after:)) ?? line.startIndex
        return line[..<end] + "\n"
      }
      .joined() + beyond
  }

  private func outliers(_ terminal: Terminal) -> String {
    let axes: [(String, MagnitudeProfile?)] = [
      (tensor.kind == .weight ? "input channel" : "channel", tensor.channels),
      ("output channel", tensor.outputChannels), ("token", tensor.tokens),
    ]
    var text = ""
    for case (let name, let profile?) in axes {
      text +=
        "\(name)s: \(profile.count), median AbsMax \(figure(profile.median)), largest "
        + "\(figure(Double(profile.largest))), ratio \(figure(profile.ratio)), outliers "
        + "\(profile.outlierCount)\n"
      guard !profile.outliers.isEmpty else { continue }
      var table = TextTable([
        .init(name, .right), .init("AbsMax", .right), .init("times the median", .right),
      ])
      for outlier in profile.outliers {
        table.append(["\(outlier.index)", figure(Double(outlier.absMax)), figure(outlier.ratio)])
      }
      text += table.text(style: terminal.style)
    }
    return text
  }

  private func losses(_ terminal: Terminal) -> String {
    guard !tensor.roundTrips.isEmpty else { return "" }
    // Only of inputs are outlier channels told apart from the rest.
    let hasRest = tensor.roundTrips.contains { $0.rest != nil }
    var table = TextTable(
      [.init("bits", .right), .init("scale for"), .init("SQNR dB", .right)]
        + (hasRest ? [.init("without outliers", .right), .init("median token", .right)] : [])
        + [.init("largest error", .right)])
    for trip in tensor.roundTrips {
      table.append(
        ["\(trip.bits)", trip.scheme.words, decibels(trip.error.sqnrDecibels)]
          + (hasRest
            ? [decibels(trip.restError.sqnrDecibels), decibels(trip.medianTokenSQNR)] : [])
          + [figure(trip.error.largestError)])
    }
    return table.text(style: terminal.style)
  }
}

extension QuantizationScheme {
  /// What has a scale of its own.
  var words: String {
    switch self {
    case .group(let size): "\(size) weights"
    case .perTensor: "the tensor"
    case .perToken: "a token"
    case .perTokenGroup(let size): "\(size) channels of a token"
    case .perChannelGroup(let tokens): "\(tokens) tokens of a channel"
    }
  }
}
