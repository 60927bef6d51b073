import Formats
import Foundation

/// Multiplies, shifts or normalizes weights on their way from the file.
struct ChangedWeights: WeightTransform {
  let changes: [WeightChange]

  /// Nil where nothing changes.
  init?(_ changes: [WeightChange]) {
    guard !changes.isEmpty else { return nil }
    self.changes = changes
  }

  var needsWholeRows: Bool {
    changes.contains {
      switch $0 {
      case .multiplyRows, .normalizeRows: true
      case .multiply, .add, .negativeExponential: false
      }
    }
  }

  func apply(to tile: WeightTile, _ range: Range<Int>, of shape: MatrixShape) {
    for change in changes { Self.apply(change, to: &tile.weights, range, of: shape) }
  }

  /// Each in double precision, and rounded once.
  private static func apply(
    _ change: WeightChange, to weights: inout [Float], _ range: Range<Int>, of shape: MatrixShape
  ) {
    switch change {
    case .multiply(let factor):
      for index in 0..<range.count { weights[index] = Float(Double(weights[index]) * factor) }
    case .add(let value):
      for index in 0..<range.count { weights[index] = Float(Double(weights[index]) + value) }
    case .negativeExponential:
      for index in 0..<range.count { weights[index] = Float(-exp(Double(weights[index]))) }
    case .multiplyRows(let factors):
      for start in stride(from: 0, to: range.count, by: max(1, shape.inputs)) {
        let row = (range.lowerBound + start) / shape.inputs % shape.outputs
        let factor = factors.factor(ofRow: row)
        for index in start..<start + shape.inputs {
          weights[index] = Float(Double(weights[index]) * factor)
        }
      }
    case .normalizeRows(let epsilon):
      for start in stride(from: 0, to: range.count, by: max(1, shape.inputs)) {
        var sum = 0.0
        for index in start..<start + shape.inputs {
          sum += Double(weights[index]) * Double(weights[index])
        }
        let length = sum.squareRoot() + epsilon
        for index in start..<start + shape.inputs {
          weights[index] = Float(Double(weights[index]) / length)
        }
      }
    }
  }
}

extension [WeightChange.RowFactor] {
  /// Of the run that a row belongs to; 1 for rows behind the last.
  func factor(ofRow row: Int) -> Double {
    var row = row
    for run in self {
      if row < run.count { return run.factor }
      row -= run.count
    }
    return 1
  }
}
