import Foundation

/// What is done to frequencies so that a model takes longer windows than those of its training. Names and
/// formulas are those of transformers, `modeling_rope_utils.py`.
package enum RotaryScaling: Sendable, Equatable {
  case none
  case linear(factor: Double)
  /// The base grows with windows longer than `context`.
  case dynamic(factor: Double, context: Int)
  case llama3(factor: Double, lowFactor: Double, highFactor: Double, context: Int)
  case yarn(Yarn)
  case longRope(LongRope)

  /// Peng et al., arXiv 2309.00071, section 3.2.
  package struct Yarn: Sendable, Equatable {
    package let factor: Double
    package let magnitude: Double
    package let fastTurns: Double
    package let slowTurns: Double
    package let truncates: Bool
    package let context: Int
  }

  /// Ding et al., arXiv 2402.13753: a divisor for each pair.
  package struct LongRope: Sendable, Equatable {
    package let short: [Double]
    package let long: [Double]
    package let magnitude: Double
    package let context: Int
  }

  /// What sines and cosines are multiplied with.
  package var magnitude: Double {
    switch self {
    case .yarn(let yarn): yarn.magnitude
    case .longRope(let rope): rope.magnitude
    case .none, .linear, .dynamic, .llama3: 1
    }
  }

  func scaled(
    _ plain: [Double], width: Int, base: Double, windowLength: Int
  ) -> [Double] {
    switch self {
    case .none, .dynamic: plain
    case .linear(let factor): plain.map { $0 / factor }
    case .llama3(let factor, let low, let high, let context):
      plain.map { frequency in
        let turns = Double(context) * frequency / (2 * Double.pi)
        let kept = min(max((turns - low) / (high - low), 0), 1)
        return (1 - kept) * frequency / factor + kept * frequency
      }
    case .yarn(let yarn): yarn.scaled(plain, width: width, base: base)
    case .longRope(let rope):
      zip(plain, windowLength > rope.context ? rope.long : rope.short).map { $0 / $1 }
    }
  }
}

extension RotaryScaling.Yarn {
  /// What the attention is scaled by for a factor; `weight` is `mscale` of configurations.
  package static func magnitude(factor: Double, weight: Double) -> Double {
    factor <= 1 ? 1 : 0.1 * weight * log(factor) + 1
  }

  fileprivate func scaled(_ plain: [Double], width: Int, base: Double) -> [Double] {
    /// The pair that turns so often within the context.
    func pair(turns: Double) -> Double {
      Double(width) * log(Double(context) / (turns * 2 * Double.pi)) / (2 * log(base))
    }
    var (low, high) = (pair(turns: fastTurns), pair(turns: slowTurns))
    if truncates { (low, high) = (low.rounded(.down), high.rounded(.up)) }
    (low, high) = (max(low, 0), min(high, Double(width - 1)))
    if low == high { high += 0.001 }
    return plain.enumerated().map { index, frequency in
      let divided = min(max((Double(index) - low) / (high - low), 0), 1)
      return frequency * (1 - divided) + frequency / factor * divided
    }
  }
}
