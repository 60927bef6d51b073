extension Double {
  /// Whether two sums that are not negative are the same but for a share of the larger.
  func agrees(with other: Double, within tolerance: Double) -> Bool {
    self == other || abs(self - other) <= tolerance * Swift.max(self, other)
  }
}
