import Formats

/// Numbers like those of trained weights, the same for a seed on every machine: normal with heavy tails,
/// and a few far outside.
///
/// They come from a table that a hash of their position picks from: that costs a few operations for
/// four of them, and any part of a tensor can be made alone.
struct WeightNoise {
  /// Picked by 16 bits of a hash. Their standard deviation is about 1.
  let values: [Float]
  private let seed: UInt64

  /// Degrees of freedom of Student's distribution: a kurtosis of 4.5, where the normal one has 3.
  private static let freedom = 8
  /// So many values of the table are outliers, and so much larger than they would be.
  private static let outlierCount = 3
  private static let outlierFactor: Float = 10

  init(seed: Int) {
    self.seed = Self.mix(UInt64(truncatingIfNeeded: seed))
    var state = self.seed | 1
    // Only operations that IEEE 754 rounds: no logarithm or cosine that differs between systems.
    values = (0..<1 << 16).map { index in
      let value = Self.normal(&state)
      let squares = (0..<Self.freedom).reduce(Float(0)) { sum, _ in
        let other = Self.normal(&state)
        return sum + other * other
      }
      // The variance of Student's distribution is n / (n - 2).
      let student = value / (squares / Float(Self.freedom - 2)).squareRoot()
      return index < Self.outlierCount ? student * Self.outlierFactor : student
    }
  }

  /// The first numbers of the first tensor.
  func weights(_ count: Int) -> [Float] {
    var weights = [Float](repeating: 0, count: count)
    pick(from: values, into: &weights, count: count, key: key(0), start: 0)
    return weights
  }

  /// What sets a tensor apart from the others.
  func key(_ tensor: Int) -> UInt64 { Self.mix(seed &+ UInt64(tensor)) }

  /// Puts elements `start ..< start + count` of a tensor at the start of `output`.
  ///
  /// - Parameters:
  ///   - table: 65,536 elements.
  ///   - count: a multiple of 4, as is `start`.
  func pick<Element: BitwiseCopyable>(
    from table: [Element], into output: inout [Element], count: Int, key: UInt64, start: Int
  ) {
    precondition(table.count == 1 << 16 && output.count >= count)
    precondition(count % 4 == 0 && start % 4 == 0)
    let table = table.span
    var output = output.mutableSpan
    for i in 0..<count / 4 {
      let hash = Self.mix(key &+ UInt64(start / 4 &+ i))
      output[4 &* i] = table[Int(hash & 0xFFFF)]
      output[4 &* i &+ 1] = table[Int(hash >> 16 & 0xFFFF)]
      output[4 &* i &+ 2] = table[Int(hash >> 32 & 0xFFFF)]
      output[4 &* i &+ 3] = table[Int(hash >> 48)]
    }
  }

  /// Roughly normal: the sum of twelve even numbers.
  private static func normal(_ state: inout UInt64) -> Float {
    (0..<12).reduce(-6) { sum, _ in
      state &+= 0x9E37_79B9_7F4A_7C15
      return sum + Float(mix(state) >> 40) / 0x1p24
    }
  }

  /// The last step of SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators",
  /// 2014. Counters that differ in one bit give values that have nothing in common.
  @inline(__always)
  private static func mix(_ value: UInt64) -> UInt64 {
    var mixed = value &* 0x9E37_79B9_7F4A_7C15
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
