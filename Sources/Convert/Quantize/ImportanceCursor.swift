/// Walks through a tile's groups, in order, beside the runs that some of them belong to.
struct ImportanceCursor {
  private var runs: ArraySlice<ImportanceRun>
  private let groupSize: Int

  init(_ runs: [ImportanceRun], groupSize: Int) {
    self.runs = runs[...]
    self.groupSize = groupSize
  }

  /// What the weights of a group count: those of `values` from `start` on; nil where all count alike.
  /// Groups never leave a row.
  mutating func importance(ofGroup group: Int) -> (values: [Float], start: Int)? {
    while let run = runs.first, run.groups.upperBound <= group { runs.removeFirst() }
    guard let run = runs.first, run.groups.contains(group) else { return nil }
    let weight = run.firstInput + (group - run.groups.lowerBound) * groupSize
    return (run.values, weight % run.values.count)
  }

  /// Where groups begin that belong to another run than `group`, or to none.
  private func end(after group: Int) -> Int {
    guard let run = runs.first(where: { $0.groups.upperBound > group }) else { return .max }
    return run.groups.contains(group) ? run.groups.upperBound : run.groups.lowerBound
  }

  /// All groups, cut where what weights count changes: `values` by input channel, empty where all count
  /// alike, and the channel of the first weight.
  static func stretches(
    of runs: [ImportanceRun], groupSize: Int, groupCount: Int
  ) -> [(groups: Range<Int>, values: [Float], firstInput: Int)] {
    var cursor = ImportanceCursor(runs, groupSize: groupSize)
    var stretches: [(groups: Range<Int>, values: [Float], firstInput: Int)] = []
    var first = 0
    while first < groupCount {
      let counted = cursor.importance(ofGroup: first)
      let end = min(groupCount, cursor.end(after: first))
      stretches.append((first..<end, counted?.values ?? [], counted?.start ?? 0))
      first = end
    }
    return stretches
  }
}
