/// One packed group: a scale, a bias, a code for every weight. Everything is written down as
/// `docs/FORMAT.md` has it, one weight at a time.
package struct NaiveGroup {
  package let type: NaiveFloat
  package let scale: Double
  package let bias: Double
  package let codes: [Int]

  /// The uniform quantizer of QA-LoRA (arXiv 2309.14717, equation 1), its parameters rounded to
  /// `type`, its codes chosen for the rounded ones.
  package static func minMax(_ weights: [Double], bits: Int, type: NaiveFloat) -> NaiveGroup {
    let (low, high) = (Float(weights.min()!), Float(weights.max()!))
    let scale = (high - low) / Float(1 << bits - 1)
    return nearest(weights, bits: bits, type: type, scale: Double(scale), bias: Double(low))
  }

  /// MLX's own quantizer (ml-explore/mlx, `quantized.cpp`): codes are chosen before the parameters
  /// are rounded.
  package static func mlx(_ weights: [Double], bits: Int, type: NaiveFloat) -> NaiveGroup {
    let (low, high) = (Float(weights.min()!), Float(weights.max()!))
    let largest = Float(1 << bits - 1)
    var scale = max((high - low) / largest, 1e-7)
    if !(low.magnitude > high.magnitude) { scale = -scale }
    let edge = low.magnitude > high.magnitude ? low : high
    let steps = (edge / scale).rounded(.toNearestOrEven)
    var bias: Float = 0
    if steps != 0 {
      scale = edge / steps
      bias = edge
    }
    let codes = weights.map { code($0, scale, bias, largest) }
    return NaiveGroup(
      type: type, scale: type.round(Double(scale)), bias: type.round(Double(bias)), codes: codes)
  }

  /// The nearest codes for parameters that are rounded first.
  package static func nearest(
    _ weights: [Double], bits: Int, type: NaiveFloat, scale: Double, bias: Double
  ) -> NaiveGroup {
    let (scale, bias) = (type.round(scale), type.round(bias))
    let largest = Float(1 << bits - 1)
    let codes = weights.map { scale == 0 ? 0 : code($0, Float(scale), Float(bias), largest) }
    return NaiveGroup(type: type, scale: scale, bias: bias, codes: codes)
  }

  private static func code(_ weight: Double, _ scale: Float, _ bias: Float, _ largest: Float)
    -> Int
  {
    Int(min(max(((Float(weight) - bias) / scale).rounded(.toNearestOrEven), 0), largest))
  }

  package init(type: NaiveFloat, scale: Double, bias: Double, codes: [Int]) {
    (self.type, self.scale, self.bias, self.codes) = (type, scale, bias, codes)
  }

  /// What the codes stand for: the product is rounded, then the sum.
  package var decoded: [Double] {
    codes.map { code in
      let product = type.round(Double(Float(code) * Float(scale)))
      return type.round(Double(Float(product) + Float(bias)))
    }
  }

  /// Sum of squared errors, each times the importance of its weight where that is given.
  package func squaredError(_ weights: [Double], importance: [Double]? = nil) -> Double {
    let decoded = decoded
    return weights.indices.reduce(0) { sum, index in
      let difference = weights[index] - decoded[index]
      return sum + difference * difference * (importance?[index] ?? 1)
    }
  }

  /// The largest error in any weight.
  package func largestError(_ weights: [Double]) -> Double {
    zip(weights, decoded).map { ($0 - $1).magnitude }.max() ?? 0
  }
}

/// Codes as one stream of bits, the lowest bit first.
package func naivelyPacked(_ codes: [Int], bits: Int) -> [UInt8] {
  var bytes = [UInt8](repeating: 0, count: codes.count * bits / 8)
  for (index, code) in codes.enumerated() {
    for bit in 0..<bits where code >> bit & 1 == 1 {
      bytes[(index * bits + bit) / 8] |= 1 << UInt8((index * bits + bit) % 8)
    }
  }
  return bytes
}

package func naivelyUnpacked(_ bytes: [UInt8], bits: Int) -> [Int] {
  (0..<bytes.count * 8 / bits).map { index in
    (0..<bits).reduce(0) { code, bit in
      let place = index * bits + bit
      return code | Int(bytes[place / 8] >> UInt8(place % 8) & 1) << bit
    }
  }
}
