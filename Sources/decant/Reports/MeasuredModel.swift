import Convert
import Formats
import Forward
import Model

/// Everything that was measured of a model, as the reports show it.
struct MeasuredModel {
  let path: String
  /// By their headers.
  let files: [BitPlan.Input]
  let options: MeasureOptions
  let config: ModelConfig?
  let tensors: [TensorStatistics]
  let importance: [ImportanceStatistics]
  /// What was left out of the dumps.
  let problems: [DumpError]
  let layerSummaries: [StatisticsSummary]
  let outlierFeatures: [OutlierFeature]
  /// Of the layers that a text went through.
  let similarities: [LayerSimilarity]
  /// Of inputs that have maps.
  let smoothedInputs: [SmoothedInput]
  /// Options that tell `plan` what the model computes, as this was told it.
  let planInputs: [String]

  init(
    _ run: StatisticsRun, tensors: [TensorStatistics], similarities: [LayerSimilarity] = [],
    planInputs: [String] = []
  ) {
    self.planInputs = planInputs
    path = run.checkpoint.path
    files = BitPlan.Input.headers(of: run.checkpoint)
    options = run.options
    config = run.checkpoint.config
    // Channels of weights that were kept for the pictures are in no other report.
    self.tensors =
      options.keepsChannels
      ? tensors : tensors.map { $0.kind == .weight ? $0.withoutChannels : $0 }
    self.similarities = similarities
    smoothedInputs = SmoothedInput.all(in: tensors)
    importance = run.importance
    problems = run.problems
    layerSummaries = TensorStatistics.Kind.allCases.flatMap {
      StatisticsSummary.layers(tensors, kind: $0)
    }
    outlierFeatures = OutlierFeature.emergent(in: tensors)
  }

  /// Nil where no text was read.
  var energies: LayerEnergies? {
    similarities.isEmpty ? nil : LayerEnergies(similarities, tensors)
  }

  /// Layers that lose most at 4 bits, of those that are worth a look first.
  private static let worst = 5

  /// Layers of a kind that stand out, and those of which 4 bits lose most.
  func notableLayers(_ kind: TensorStatistics.Kind) -> Set<Int> {
    let inside = layerSummaries.filter { $0.kind == kind && $0.layer != nil }
    let worst = inside.compactMap { summary in
      summary.sqnr(kind.usualScheme, bits: 4).flatMap { sqnr in summary.layer.map { ($0, sqnr) } }
    }.sorted { ($0.1, $0.0) < ($1.1, $1.0) }.prefix(Self.worst).map(\.0)
    return Set(worst + inside.filter { $0.isOutlier || $0.isLossy }.compactMap(\.layer))
  }

  /// What stands out, in words.
  var findings: [Finding] { StatisticsFindings(self).all }

  /// What follows for the widths of the weights; nothing where none loses anything.
  var advice: [Finding] {
    WidthAdvice(self)?.findings(path: path, inputs: planInputs) ?? []
  }

  /// Tensors that hold NaN or infinity, about which every report must say so.
  var damaged: [TensorStatistics] { tensors.filter { !$0.distribution.isFinite } }

  /// The largest uncertainty of what a width loses in a tensor; nil where all weights were measured.
  var largestSamplingError: Double? {
    tensors.flatMap(\.roundTrips).compactMap(\.samplingError).max()
  }
}
