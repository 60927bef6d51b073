import Formats

/// The squared error that errors of weights make in a layer's outputs, on average over its inputs: the sum of
/// `e H eᵀ` over rows e. One instance serves one thread.
struct WeightedOutputError {
  private var lanes: [Float] = []
  private var history: [Float] = []
  private var errors = [Double](repeating: 0, count: GPTQKernels.stripRows)

  /// - Parameters:
  ///   - residuals: `[rows, inputs]` from the start.
  ///   - factors: of H, damped.
  mutating func sum(_ residuals: [Float], rows: Int, _ factors: GPTQFactors) -> Double {
    let inputs = factors.order.count
    let width = GPTQKernels.stripRows
    precondition(residuals.count >= rows * inputs)
    lanes.grow(to: inputs * width, filler: 0)
    history.grow(to: inputs * width, filler: 0)
    var sum = 0.0
    for first in stride(from: 0, to: rows, by: width) {
      for lane in 0..<width {
        let row = first + lane
        for input in 0..<inputs {
          lanes[input * width + lane] = row < rows ? residuals[row * inputs + input] : 0
        }
      }
      GPTQKernels.weightedErrors(
        lanes, factors, level: .current, history: &history, errors: &errors)
      sum += errors.reduce(0, +)
    }
    return sum
  }

  /// With H taken as diagonal.
  ///
  /// - Parameter meanSquares: E[x²] by channel; nil where all count alike.
  static func sum(_ residuals: [Float], rows: Int, inputs: Int, meanSquares: [Float]?) -> Double {
    var sum = 0.0
    for row in 0..<rows {
      for input in 0..<inputs {
        let residual = Double(residuals[row * inputs + input])
        sum += residual * residual * Double(meanSquares?[input] ?? 1)
      }
    }
    return sum
  }
}
