/// How the outputs of a fused weight are cut: a pattern of runs that repeats from row 0 to the last.
///
/// Bloom's `query_key_value` repeats `[q 64, k 64, v 64]` for every head; Phi-3's `gate_up_proj` is
/// `[gate 8192, up 8192]` once. The pattern stays short whatever a file claims.
package struct FusedRows: Sendable, Equatable {
  package enum Part: String, Sendable {
    case q
    case k
    case v
    case gate
    case up
    case x
    case z
    case dt
    case b = "B"
    case c = "C"
  }

  /// Consecutive rows of one part.
  package struct Run: Sendable, Equatable {
    package let part: Part
    package let count: Int

    package init(_ part: Part, _ count: Int) {
      self.part = part
      self.count = count
    }
  }

  package let pattern: [Run]
  package let repeats: Int
  /// Rows of one pattern; its product with `repeats` is known to fit.
  private let patternRowCount: Int

  /// Fails unless all counts are positive and the runs make up exactly `rowCount` rows.
  package init?(_ pattern: [Run], repeats: Int = 1, rowCount: Int) {
    guard repeats > 0, !pattern.isEmpty else { return nil }
    // Subtracting from what is left cannot overflow, whatever the counts.
    var left = rowCount / repeats
    guard left * repeats == rowCount else { return nil }
    for run in pattern {
      guard run.count > 0, run.count <= left else { return nil }
      left -= run.count
    }
    guard left == 0 else { return nil }
    self.pattern = pattern
    self.repeats = repeats
    patternRowCount = rowCount / repeats
  }

  package var rowCount: Int { patternRowCount * repeats }

  package func rowCount(of part: Part) -> Int {
    pattern.reduce(0) { $0 + ($1.part == part ? $1.count : 0) } * repeats
  }

  /// Consecutive rows of a part: where they stand among all, and among those of the part.
  package struct PlacedRun: Sendable, Equatable {
    package let source: Int
    package let target: Int
    package let count: Int
  }

  /// In their order.
  package func runs(of part: Part) -> [PlacedRun] {
    var runs: [PlacedRun] = []
    var (source, target) = (0, 0)
    for _ in 0..<repeats {
      for run in pattern {
        if run.part == part {
          runs.append(PlacedRun(source: source, target: target, count: run.count))
          target += run.count
        }
        source += run.count
      }
    }
    return runs
  }

  /// The part that row `row` belongs to.
  package func part(ofRow row: Int) -> Part {
    precondition(row >= 0 && row < rowCount)
    var offset = row % patternRowCount
    for run in pattern {
      if offset < run.count { return run.part }
      offset -= run.count
    }
    preconditionFailure("the runs make up the pattern")
  }
}

extension FusedRows: CustomStringConvertible {
  /// `q 0..<4096, k 4096..<5120, v 5120..<6144`, or `71 x [q 64, k 64, v 64]`.
  package var description: String {
    guard repeats == 1 else {
      let runs = pattern.map { "\($0.part.rawValue) \($0.count)" }
      return "\(repeats) x [\(runs.joined(separator: ", "))]"
    }
    var start = 0
    let runs = pattern.map { run in
      defer { start += run.count }
      return "\(run.part.rawValue) \(start)..<\(start + run.count)"
    }
    return runs.joined(separator: ", ")
  }
}
