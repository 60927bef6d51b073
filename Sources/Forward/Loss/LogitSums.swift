import Foundation

/// What is kept of one token's logits while the vocabulary passes. Sums are in double precision, relative
/// to the largest logit so far (Milakov and Gimelshein, arXiv 1805.02867, algorithm 3).
struct LogitSums {
  /// The largest logit, and where it is; the first of equal ones.
  private(set) var largest = -Float.infinity
  private(set) var top = -1
  /// `Σ e^(z - largest)`.
  private var powers = 0.0
  /// `Σ e^(z - largest) (z - other)`, where there are other logits beside them.
  private var differences = 0.0

  /// `ln Σ e^z`.
  var logSum: Double { Double(largest) + log(powers) }

  /// The expected difference of these logits to the others, under the probabilities of these.
  var meanDifference: Double { differences / powers }

  /// - Parameters:
  ///   - logits: those of a token are `range`.
  ///   - first: the vocabulary's number of the first.
  init(_ logits: [Float], _ range: Range<Int>, first: Int, besides other: [Float]? = nil) {
    for index in range where logits[index] > largest {
      largest = logits[index]
      top = first + index - range.lowerBound
    }
    for index in range {
      let power = exp(Double(logits[index]) - Double(largest))
      powers += power
      if let other { differences += power * (Double(logits[index]) - Double(other[index])) }
    }
  }

  init() {}

  /// Adds those of logits that come later in the vocabulary.
  mutating func merge(_ later: LogitSums) {
    let most = max(largest, later.largest)
    let (own, others) = (factor(to: most), later.factor(to: most))
    powers = powers * own + later.powers * others
    differences = differences * own + later.differences * others
    if later.largest > largest { (largest, top) = (later.largest, later.top) }
  }

  private func factor(to most: Float) -> Double {
    largest == -.infinity ? 0 : exp(Double(largest) - Double(most))
  }
}
