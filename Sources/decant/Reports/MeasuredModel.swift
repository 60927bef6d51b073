import Convert
import Formats
import Model

/// Everything that was measured of a model, as the reports show it.
struct MeasuredModel {
  let path: String
  let options: MeasureOptions
  let config: ModelConfig?
  let tensors: [TensorStatistics]
  let importance: [ImportanceStatistics]
  /// What was left out of the dumps.
  let problems: [DumpError]
  let layerSummaries: [StatisticsSummary]
  let outlierFeatures: [OutlierFeature]

  init(_ run: StatisticsRun, tensors: [TensorStatistics]) {
    path = run.checkpoint.path
    options = run.options
    config = run.checkpoint.config
    self.tensors = tensors
    importance = run.importance
    problems = run.problems
    layerSummaries = TensorStatistics.Kind.allCases.flatMap {
      StatisticsSummary.layers(tensors, kind: $0)
    }
    outlierFeatures = OutlierFeature.emergent(in: tensors)
  }

  /// Tensors that hold NaN or infinity, about which every report must say so.
  var damaged: [TensorStatistics] { tensors.filter { !$0.distribution.isFinite } }

  /// The largest uncertainty of what a width loses in a tensor; nil where all weights were measured.
  var largestSamplingError: Double? {
    tensors.flatMap(\.roundTrips).compactMap(\.samplingError).max()
  }
}
