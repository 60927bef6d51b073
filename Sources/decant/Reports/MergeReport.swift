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
      "adapters": .array(merger.record.map(\.reportJSON)), "rounding": rounding.reportJSON,
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
    var lines = ["wrote \(printable(merger.target.path))"]
    lines += merger.record.map(\.summary)
    let tuned = merger.record.flatMap(\.modules).filter { $0.kind == "peqa" }.count
    if tuned > 0 { lines.append("codes as they were; \(tuned) tensors with tuned scales") }
    if rounding.count > 0 {
      lines.append((tuned > 0 ? "" : "codes and scales as they were; ") + rounding.summary)
    }
    if probe.moduleCount > 0 {
      lines.append(
        "probe: \(probe.outputCount) outputs of \(probe.moduleCount) modules are within"
          + " \(figure(probe.largestDifference)) of base + adapter; rounding allows"
          + " \(figure(probe.largestBound)), the largest output is \(figure(probe.largestOutput))")
    }
    lines.append(
      result.canBeUndone
        ? "the biases from before are kept for --undo in \(Manifest.Adapters.originalsFile)"
        : "one file keeps no biases from before: this merge cannot be undone")
    return lines.joined(separator: "\n") + "\n"
  }
}

/// `3.1e-04`.

extension BiasRounding {
  var summary: String {
    "\(count) biases moved, rounded by at most \(figure(largest))"
      + " (\(figure(largestInSteps)) of a code's step)"
  }

  var reportJSON: JSONValue {
    [
      "biases": .integer(count), "largest": .double(largest),
      "largest_in_steps": .double(largestInSteps),
    ]
  }
}

extension Manifest.MergedAdapter {
  var reportJSON: JSONValue {
    [
      "name": .string(name), "xxh64": .string(checksum.hexDigits), "weight": .double(weight),
      "modules": .integer(modules.count),
    ]
  }

  /// One line: how many modules and, where all share them, rank, pooling and groups.
  var summary: String {
    let pairs = modules.filter { $0.rank != nil }
    func shared<T: Hashable>(_ values: [T?]) -> T? {
      Set(values).count == 1 ? values[0] : nil
    }
    var text =
      "merged \(printable(name)): \(modules.count) modules"
      + (weight == 1 ? "" : ", weight \(weight)")
    if let kind = shared(pairs.map(\.kind)) { text += ", \(kind)" }
    if let rank = shared(pairs.map(\.rank)) { text += ", rank \(rank)" }
    if let pooling = shared(pairs.map(\.pooling)) { text += ", pooling \(pooling)" }
    if let size = shared(pairs.map(\.groupSize)) { text += ", groups of \(size)" }
    return text
  }
}
