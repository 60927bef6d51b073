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
    func grow<Element>(_ array: inout [Element], to count: Int, _ filler: Element) {
      if array.count < count {
        array.append(contentsOf: repeatElement(filler, count: count - array.count))
      }
    }
    grow(&codes, to: groupCount * groupSize, 0)
    grow(&scales, to: groupCount, 0)
    grow(&biases, to: groupCount, 0)
  }
}
