import Convert
import Formats
import Forward
import Model
import Stats

/// Statistics as JSON (schemas/stats.schema.json).
struct StatisticsDocument {
  private let measured: MeasuredModel
  /// Whether of single tensors only what a page shows is in it: no histograms, no profiles, no channels, and no
  /// more tensors than its table has.
  private let isBrief: Bool

  /// How people are told what `isBrief` leaves out.
  static let brief = "; those of --json, without histograms and profiles of single tensors"

  init(_ measured: MeasuredModel, isBrief: Bool = false) {
    self.measured = measured
    self.isBrief = isBrief
  }

  /// For a page.
  var text: String {
    var text = ""
    write { text += $0 }
    return text
  }

  /// The document in pieces, so that no tree of a large model is ever held whole.
  func write(_ put: (String) throws -> Void) rethrows {
    let head: [(String, JSONValue)] = [
      ("path", .string(measured.path)),
      ("group_size", .integer(measured.options.groupSize)),
      ("method", .string(measured.options.method.rawValue)),
      ("outlier_ratio", .double(measured.options.outlierRatio)),
      ("kurtosis_convention", "pearson"),
      (
        "problems",
        .array(
          measured.problems.map {
            ["message": .string($0.message), "hint": $0.hint.map { .string($0) } ?? .null]
          })
      ),
      ("outlier_features", .array(measured.outlierFeatures.map(feature))),
      ("layers", .array(measured.layerSummaries.map(summary))),
      ("importance", .array(measured.importance.map(importance))),
    ]
    // Only where a model was run.
    let hidden: [(String, JSONValue)] =
      measured.similarities.isEmpty
      ? [] : [("hidden_states", .array(measured.similarities.map(similarity)))]
    try put("{")
    for (name, value) in head + hidden { try put("\"\(name)\":\(value.compactText),\n") }
    try put("\"tensors\":[")
    let tensors = isBrief ? TensorTable.shown(measured.tensors) : measured.tensors
    for (index, tensor) in tensors.enumerated() {
      var document = Self.tensor(tensor)
      if isBrief { for member in Self.long { document[member] = nil } }
      try put((index == 0 ? "\n" : ",\n") + document.compactText)
    }
    try put("\n]}\n")
  }

  private static let long = [
    "histogram", "sigma_histogram", "quantiles", "input_channels", "output_channels", "channels",
    "tokens", "head_absmax", "outliers", "every_channel",
  ]

  private func similarity(_ entry: LayerSimilarity) -> JSONValue {
    ["layer": .integer(entry.layer), "cosine_similarity": .double(entry.cosine)]
  }

  private func feature(_ feature: OutlierFeature) -> JSONValue {
    [
      "channel": .integer(feature.channel), "layer_count": .integer(feature.layerCount),
      "layer_share": .double(feature.layerShare), "token_share": .double(feature.tokenShare),
    ]
  }

  private func importance(_ entry: ImportanceStatistics) -> JSONValue {
    let energy = entry.energy
    var document: JSONValue = [
      "name": .string(entry.name), "role": .string(entry.role.rawValue),
      "layer": entry.layer.map { .integer($0) } ?? .null, "expert": .integer(entry.expert),
      "weights": .array(entry.weights.map { .string($0) }), "tokens": .double(entry.tokenCount),
      "channels": .integer(energy.channelCount), "sum": .double(energy.sum),
      "min": .double(energy.minimum), "max": .double(energy.maximum), "mean": .double(energy.mean),
      "std": .double(energy.standardDeviation), "active_share": .double(energy.activeShare),
      "entropy": .double(energy.entropy), "normalized_entropy": .double(energy.normalizedEntropy),
      "outlier_share": .double(energy.outlierShare),
    ]
    if measured.options.keepsChannels {
      document["mean_square"] = Self.numbers(entry.meanSquares)
    }
    return document
  }

  private func summary(_ summary: StatisticsSummary) -> JSONValue {
    let moments = summary.moments
    return [
      "kind": .string(summary.kind.rawValue),
      "layer": summary.layer.map { .integer($0) } ?? .null,
      "tensor_count": .integer(summary.tensorCount), "count": .integer(summary.valueCount),
      "non_finite": .integer(summary.nonFiniteCount), "zeros": .integer(summary.zeroCount),
      "absmax": .double(Double(summary.absMax)), "mean": Self.number(moments, moments.mean),
      "std": .double(moments.standardDeviation), "kurtosis": .double(summary.kurtosis),
      "channel_ratio": .double(summary.channelRatio),
      "token_ratio": .double(summary.tokenRatio), "is_outlier": .bool(summary.isOutlier),
      "is_lossy": .bool(summary.isLossy),
      "histogram": Self.histogram(summary.histogram, zeros: summary.zeroCount),
      "quantization": .array(summary.roundTrips.map(Self.roundTrip)),
    ]
  }

  static func tensor(_ tensor: TensorStatistics) -> JSONValue {
    let values = tensor.distribution
    let moments = values.moments
    var document: JSONValue = [
      "name": .string(tensor.name), "kind": .string(tensor.kind.rawValue),
      "role": tensor.role.map { .string($0.rawValue) } ?? .null,
      "layer": tensor.layer.map { .integer($0) } ?? .null,
      "expert": tensor.expert.map { .integer($0) } ?? .null,
      "dtype": .string(tensor.dtype.rawValue),
      "shape": .array(tensor.shape.map { .integer($0) }), "count": .integer(values.count),
      "nan": .integer(values.nanCount), "positive_infinity": .integer(values.positiveInfinityCount),
      "negative_infinity": .integer(values.negativeInfinityCount),
      "zeros": .integer(values.zeroCount), "subnormals": .integer(values.subnormalCount),
      "min": .double(values.minimum.map(Double.init)),
      "max": .double(values.maximum.map(Double.init)),
      "absmax": .double(values.absMax.map(Double.init)), "mean": number(moments, moments.mean),
      "std": .double(moments.standardDeviation), "rms": .double(moments.rootMeanSquare),
      "skewness": .double(moments.skewness), "kurtosis": .double(moments.kurtosis),
      "crest_factor": .double(values.crestFactor),
      "median_magnitude": .double(values.medianMagnitude),
      "beyond_3_sigma": .double(values.beyondThreeSigma),
      "beyond_6_sigma": .double(values.beyondSixSigma),
      "quantiles": .array(
        zip(Distribution.quantileLevels, values.quantiles).map {
          ["level": .double($0), "value": .double($1)]
        }),
      "quantile_relative_error": .double(values.relativeError),
      "histogram": histogram(values.histogram, zeros: values.zeroCount),
      "sigma_histogram": values.sigmaHistogram.map(sigmaHistogram) ?? .null,
      "quantization": .array(tensor.roundTrips.map(roundTrip)),
    ]
    switch tensor.kind {
    case .weight:
      document["input_channels"] = profile(tensor.channels)
      document["output_channels"] = profile(tensor.outputChannels)
    case .activation, .key, .value, .latent, .rotaryKey:
      document["channels"] = profile(tensor.channels)
      document["tokens"] = profile(tensor.tokens)
    }
    if let sum = tensor.meanSquareSum { document["mean_square_sum"] = .double(sum) }
    if tensor.kind == .key || tensor.kind == .rotaryKey {
      document["rope"] = tensor.rotation.map { .string($0.rawValue) } ?? .null
    }
    if let heads = tensor.headMagnitudes { document["head_absmax"] = numbers(heads) }
    if let outliers = tensor.outliers { document["outliers"] = Self.outliers(outliers) }
    if let channels = tensor.everyChannel { document["every_channel"] = figures(channels) }
    return document
  }

  /// Null where there are no values to speak of.
  private static func number(_ moments: Moments, _ value: Double) -> JSONValue {
    .double(moments.count > 0 ? value : nil)
  }

  private static func numbers(_ values: [Float]) -> JSONValue {
    .array(values.map { .double(Double($0)) })
  }

  private static func histogram(_ histogram: LogHistogram, zeros: Int) -> JSONValue {
    [
      "zeros": .integer(zeros), "edges": numbers(histogram.edges),
      "counts": .array(histogram.counts.map { .integer($0) }),
    ]
  }

  private static func sigmaHistogram(_ histogram: SigmaHistogram) -> JSONValue {
    [
      "bin_width": .double(1 / Double(SigmaHistogram.binsPerSigma)),
      "limit": .integer(SigmaHistogram.limit), "below": .integer(histogram.below),
      "above": .integer(histogram.above),
      "counts": .array(histogram.counts.map { .integer($0) }),
    ]
  }

  private static func roundTrip(_ trip: RoundTrip) -> JSONValue {
    var document: JSONValue = [
      "scheme": .string(trip.scheme.name.rawValue),
      "group_size": trip.scheme.groupSize.map { .integer($0) } ?? .null,
      "bits": .integer(trip.bits), "sqnr_db": .double(trip.error.sqnrDecibels),
      "squared_norm": .double(trip.error.squaredNorm),
      "squared_error": .double(trip.error.squaredError),
      "largest_error": .double(trip.error.largestError),
    ]
    if let samplingError = trip.samplingError {
      document["sampling_error"] = .double(samplingError)
    }
    if let rest = trip.rest {
      document["sqnr_rest_db"] = .double(rest.sqnrDecibels)
      document["rest_squared_norm"] = .double(rest.squaredNorm)
      document["rest_squared_error"] = .double(rest.squaredError)
      document["sqnr_median_token_db"] = .double(trip.medianTokenSQNR)
    }
    return document
  }

  private static func profile(_ profile: MagnitudeProfile?) -> JSONValue {
    guard let profile else { return .null }
    return [
      "count": .integer(profile.count), "median": .double(profile.median),
      "absmax": .double(Double(profile.largest)), "ratio": .double(profile.ratio),
      "outlier_count": .integer(profile.outlierCount),
      "outliers": .array(
        profile.outliers.map {
          [
            "index": .integer($0.index), "absmax": .double(Double($0.absMax)),
            "ratio": .double($0.ratio),
          ]
        }),
      "step_length": .integer(profile.stepLength), "steps": numbers(profile.steps),
    ]
  }

  private static func outliers(_ outliers: ActivationOutliers) -> JSONValue {
    [
      "magnitude_6_channels": .array(
        outliers.features.map {
          [
            "channel": .integer($0.channel),
            "token_share": .double(Double($0.tokenCount) / Double(outliers.tokenCount)),
          ]
        }),
      "massive_count": .integer(outliers.massiveCount),
      "massive": .array(
        outliers.massive.map {
          [
            "token": .integer($0.row), "channel": .integer($0.column),
            "value": .double(Double($0.value)),
          ]
        }),
    ]
  }

  private static func figures(_ channels: ChannelFigures) -> JSONValue {
    var document: JSONValue = ["absmax": numbers(channels.absMax)]
    if let outputs = channels.outputAbsMax { document["output_absmax"] = numbers(outputs) }
    if let means = channels.meanMagnitude {
      document["mean_magnitude"] = .array(means.map { .double($0) })
    }
    if let squares = channels.meanSquare {
      document["mean_square"] = .array(squares.map { .double($0) })
    }
    return document
  }
}
