import Convert
import Formats

/// Measures second moments of what linear layers read, and writes those of a layer of the model when its last
/// token has passed: one layer's are in memory.
final class GramObserver: ForwardObserver {
  private let writer: CalibrationWriter
  private let modules: Set<String>
  private let context: RunContext
  private var layer: Int?
  /// By the first module that reads the inputs, in the order in which they come.
  private var sums: [(module: String, sum: GramSum)] = []
  private var places: [String: Int] = [:]
  /// Modules that read what another one reads, by that one's name.
  private(set) var sharedInputs: [String: String] = [:]
  /// Of what was written: inputs that have more channels than there were tokens.
  private(set) var shortModules: [(module: String, order: Int, tokenCount: Int)] = []
  private(set) var matrixCount = 0

  /// - Parameter modules: those that are of interest.
  init(
    of modules: Set<String>, to writer: CalibrationWriter, _ context: RunContext
  ) {
    self.modules = modules
    self.writer = writer
    self.context = context
  }

  func observe(_ values: inout MutableSpan<Float>, at place: ObservedPlace) throws {
    guard case .input(let readers) = place.kind else { return }
    if layer != place.layer { try finish() }
    layer = place.layer
    let wanted = readers.filter(modules.contains)
    guard let first = wanted.first else { return }
    for module in wanted.dropFirst() { sharedInputs[module] = first }
    if places[first] == nil {
      places[first] = sums.count
      sums.append((first, GramSum(order: place.features)))
    }
    guard let index = places[first] else { return }
    try sums[index].sum.add(values.span, context)
  }

  /// Called after the last value too.
  func finish() throws(FileError) {
    for (module, sum) in sums where sum.tokenCount > 0 {
      try writer.append(sum.matrix, of: module)
      matrixCount += 1
      if sum.tokenCount < sum.order {
        shortModules.append((module, sum.order, sum.tokenCount))
      }
    }
    sums = []
    places = [:]
  }
}
