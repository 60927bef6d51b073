/// Groups of quantized weights taken apart; what lies behind the groups in use means nothing.
package struct PackedGroups: Sendable {
  /// One for each weight.
  package var codes: [UInt8] = []
  /// One of each for every group, with the values that are stored.
  package var scales: [Float] = []
  package var biases: [Float] = []

  package init() {}

  /// Makes room for groups; what was there stays.
  package mutating func reserve(_ groupCount: Int, groupSize: Int) {
    codes.grow(to: groupCount * groupSize, filler: 0)
    scales.grow(to: groupCount, filler: 0)
    biases.grow(to: groupCount, filler: 0)
  }
}
