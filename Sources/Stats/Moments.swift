/// Count, mean, and sums of powers of the distance from it: enough for the standard deviation, the
/// skewness and the kurtosis of everything that was merged.
///
/// Merging: Pébay, SAND2008-6212, the pairwise formulas for one variable; Chan, Golub and LeVeque
/// 1979 for the second moment. Floating-point sums: callers that promise the same bits merge in a
/// fixed order.
package struct Moments: Sendable, Equatable {
  package private(set) var count = 0.0
  package private(set) var mean = 0.0
  /// Sums over the values of `(x - mean)` to the power of 2, 3 and 4.
  package private(set) var second = 0.0
  package private(set) var third = 0.0
  package private(set) var fourth = 0.0

  package init() {}

  /// Moments of values of which each occurs `weight` times; `forEach` hands over all of them, and
  /// is called twice: the sums are centred on a mean that is known.
  package init(_ forEach: ((_ value: Double, _ weight: Double) -> Void) -> Void) {
    var (count, sum) = (0.0, 0.0)
    forEach { value, weight in
      count += weight
      sum += value * weight
    }
    guard count > 0 else { return }
    let mean = sum / count
    // `first` is all rounding: carrying what each addition lost (Kahan 1965) keeps its own, which
    // ascending values drive up, out of the mean.
    var (first, lost, second, third, fourth) = (0.0, 0.0, 0.0, 0.0, 0.0)
    forEach { value, weight in
      let distance = value - mean
      let square = distance * distance
      let term = weight * distance - lost
      let sum = first + term
      lost = (sum - first) - term
      first = sum
      second += weight * square
      third += weight * square * distance
      fourth += weight * square * square
    }
    self.count = count
    // What the rounding of the mean left over: the two-pass correction, of which only the mean
    // and the second moment notice anything.
    let shift = first / count
    self.mean = mean + shift
    self.second = second - first * shift
    self.third = third - 3 * shift * second
    self.fourth = fourth - 4 * shift * third
  }

  package mutating func merge(_ other: Moments) {
    guard other.count > 0 else { return }
    guard count > 0 else {
      self = other
      return
    }
    let (a, b) = (count, other.count)
    let n = a + b
    let delta = other.mean - mean
    let step = delta / n
    let square = step * step
    let product = a * b
    fourth +=
      other.fourth + delta * square * step * product * (a * a - product + b * b)
      + 6 * square * (a * a * other.second + b * b * second)
      + 4 * step * (a * other.third - b * third)
    third +=
      other.third + delta * square * product * (a - b)
      + 3 * step * (a * other.second - b * second)
    second += other.second + delta * step * product
    mean += step * b
    count = n
  }

  /// Of the population: `sqrt(M2 / n)`; nil of nothing.
  package var standardDeviation: Double? { count > 0 ? (second / count).squareRoot() : nil }

  /// Square root of the mean square.
  package var rootMeanSquare: Double? {
    count > 0 ? (second / count + mean * mean).squareRoot() : nil
  }

  /// `sqrt(n) M3 / M2^1.5`; nil where all values are equal.
  package var skewness: Double? {
    second > 0 ? count.squareRoot() * third / (second * second.squareRoot()) : nil
  }

  /// Pearson's kurtosis, `n M4 / M2^2`: 3 for a normal distribution, 1.8 for a uniform one; nil
  /// where all values are equal.
  package var kurtosis: Double? { second > 0 ? count * fourth / (second * second) : nil }
}
