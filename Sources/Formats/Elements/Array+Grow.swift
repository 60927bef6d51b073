extension Array {
  /// Makes the array at least `count` long; what was there stays.
  @inlinable
  package mutating func grow(to count: Int, filler: Element) {
    if self.count < count { append(contentsOf: repeatElement(filler, count: count - self.count)) }
  }
}
