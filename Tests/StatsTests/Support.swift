@testable import Stats

extension SplitMix64 {
  mutating func gaussian() -> Float { Float(normal()) }
}

/// What BF16 patterns stand for: the leading half of an F32 value.
let bf16 = PatternValues(smallestNormal: .leastNormalMagnitude) {
  Float(bitPattern: UInt32($0) << 16)
}

/// Values that BF16 can hold.
func accumulate(bf16 values: some Collection<Float>) -> ValueAccumulator {
  accumulate(patterns: values.map { UInt16($0.bitPattern >> 16) })
}

func accumulate(patterns: some Collection<UInt16>) -> ValueAccumulator {
  var result = ValueAccumulator(bf16)
  let bytes = patterns.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
  var counts = PatternCounts()
  counts.add(bytes, count: patterns.count)
  result.add(counts)
  return result
}

func accumulate(f32 values: some Collection<Float>) -> ValueAccumulator {
  var result = ValueAccumulator(.leadingBits)
  result.add(floats: Array(values), count: values.count)
  return result
}

/// `values` cut at random places into `count` runs, in a random order; runs may be empty.
func shuffledParts<T>(
  _ values: [T], count: Int, using generator: inout SplitMix64
) -> [ArraySlice<T>] {
  let cuts = (1..<count).map { _ in Int.random(in: 0...values.count, using: &generator) }.sorted()
  return zip([0] + cuts, cuts + [values.count]).map { values[$0..<$1] }
    .shuffled(using: &generator)
}

func isClose(_ value: Double?, _ expected: Double, relative: Double = 1e-12) -> Bool {
  guard let value else { return false }
  return (value - expected).magnitude <= relative * max(expected.magnitude, 1e-300)
}
