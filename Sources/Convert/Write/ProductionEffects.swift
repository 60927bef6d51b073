import Stats

/// What producing a tensor, or a tile of it, did to the weights.
struct ProductionEffects: Sendable {
  var error = QuantizationError()
  /// NaN and infinities that were made zero.
  var zeroedCount = 0
  /// What storing merged biases lost.
  var rounding = BiasRounding()

  mutating func merge(_ other: ProductionEffects) {
    error.merge(other.error)
    zeroedCount += other.zeroedCount
    rounding.merge(other.rounding)
  }
}
