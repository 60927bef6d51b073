/// Groups of a tile whose weights meet the inputs of one matrix, with what those count.
package struct ImportanceRun: Sendable {
  /// Counted from the tile's first group.
  package let groups: Range<Int>
  /// By input channel.
  package let values: [Float]
  /// Input channel of the first weight of `groups`.
  package let firstInput: Int

  package init(groups: Range<Int>, values: [Float], firstInput: Int) {
    precondition(!values.isEmpty)
    self.groups = groups
    self.values = values
    self.firstInput = firstInput
  }

}
