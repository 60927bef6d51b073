extension Array {
  /// Makes the array at least `count` long; what was there stays.
  @inlinable
  package mutating func grow(to count: Int, filler: Element) {
    guard self.count < count else { return }
    // An array of its own is filled and copied whole, also in a debug build.
    append(contentsOf: [Element](repeating: filler, count: count - self.count))
  }
}
