/// What storing merged biases in their type lost.
package struct BiasRounding: Sendable, Equatable {
  /// Biases that an adapter moved.
  package var count = 0
  /// Largest `|stored - exact|`, in weight units.
  package var largest = 0.0
  /// The same in steps of the group's scale, the distance of neighbouring codes.
  package var largestInSteps = 0.0

  mutating func add(_ lost: Double, scale: Float) {
    count += 1
    largest = max(largest, lost)
    if scale != 0 { largestInSteps = max(largestInSteps, lost / abs(Double(scale))) }
  }

  mutating func merge(_ other: BiasRounding) {
    count += other.count
    largest = max(largest, other.largest)
    largestInSteps = max(largestInSteps, other.largestInSteps)
  }
}
