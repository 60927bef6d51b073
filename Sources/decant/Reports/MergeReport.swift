import Convert
import Formats
import Foundation

/// What a merge into a packed checkpoint did: as JSON, and as text for people.
struct MergeReport {
  private let merger: PackedMerger
  private let result: PackedMerger.Result

  init(_ merger: PackedMerger, _ result: PackedMerger.Result) {
    self.merger = merger
    self.result = result
  }

  var json: JSONValue {
    let rounding = result.rounding
    let probe = result.probe
    return [
      "path": .string(merger.packed.checkpoint.path), "output": .string(merger.target.path),
      "adapters": .array(
        merger.record.map { adapter in
          [
            "name": .string(adapter.name), "xxh64": .string(adapter.checksum.hexDigits),
            "weight": .double(adapter.weight), "modules": .integer(adapter.modules.count),
          ]
        }),
      "rounding": [
        "biases": .integer(rounding.count), "largest": .double(rounding.largest),
        "largest_in_steps": .double(rounding.largestInSteps),
      ],
      "probe": [
        "modules": .integer(probe.moduleCount), "outputs": .integer(probe.outputCount),
        "largest_difference": .double(probe.largestDifference),
        "largest_bound": .double(probe.largestBound),
        "largest_output": .double(probe.largestOutput),
      ],
      "tensors": .array(
        result.roundings.map { tensor, rounding in
          [
            "name": .string(tensor), "largest": .double(rounding.largest),
            "largest_in_steps": .double(rounding.largestInSteps),
          ]
        }),
      "can_be_undone": .bool(result.canBeUndone),
    ]
  }

  var text: String {
    let rounding = result.rounding
    let probe = result.probe
    func number(_ value: Double) -> String { String(format: "%.1e", value) }
    var lines = ["wrote \(printable(merger.target.path))"]
    lines += merger.record.map { adapter in
      "merged \(printable(adapter.name)): \(adapter.modules.count) modules"
        + (adapter.weight == 1 ? "" : ", weight \(adapter.weight)") + facts(adapter)
    }
    lines += [
      "codes and scales as they were; \(rounding.count) biases moved, rounded by at most"
        + " \(number(rounding.largest)) (\(number(rounding.largestInSteps)) of a code's step)",
      "probe: \(probe.outputCount) outputs of \(probe.moduleCount) modules are within"
        + " \(number(probe.largestDifference)) of base + adapter; rounding allows"
        + " \(number(probe.largestBound)), the largest output is \(number(probe.largestOutput))",
      result.canBeUndone
        ? "the biases from before are kept for --undo in \(Manifest.Adapters.originalsFile)"
        : "one file keeps no biases from before: this merge cannot be undone",
    ]
    return lines.joined(separator: "\n") + "\n"
  }

  /// Rank, pooling and groups, where all modules share them.
  private func facts(_ adapter: Manifest.MergedAdapter) -> String {
    let pairs = adapter.modules.filter { $0.rank != nil }
    func shared<T: Hashable>(_ values: [T?]) -> T? {
      Set(values).count == 1 ? values[0] : nil
    }
    var text = ""
    if let rank = shared(pairs.map(\.rank)) { text += ", rank \(rank)" }
    if let pooling = shared(pairs.map(\.pooling)) { text += ", pooling \(pooling)" }
    if let size = shared(pairs.map(\.groupSize)) { text += ", groups of \(size)" }
    return text
  }
}
