import Foundation
import Model

/// Numbers of tokens in the middle of a model: `[tokens, features]`, row-major.
final class Activations {
  private(set) var tokens: Int
  let features: Int
  var values: [Float]

  init(tokens: Int, features: Int) {
    self.tokens = tokens
    self.features = features
    values = [Float](repeating: 0, count: tokens * features)
  }

  init(tokens: Int, features: Int, values: [Float]) {
    precondition(values.count == tokens * features)
    self.tokens = tokens
    self.features = features
    self.values = values
  }

  var copy: Activations { Activations(tokens: tokens, features: features, values: values) }

  /// Those of consecutive tokens.
  func rows(_ range: Range<Int>) -> Activations {
    Activations(
      tokens: range.count, features: features,
      values: Array(values[range.lowerBound * features..<range.upperBound * features]))
  }

  /// Those of some tokens, in the order of the list.
  func rows(_ list: [Int]) -> Activations {
    let taken = Activations(tokens: list.count, features: features)
    let values = values
    for (place, token) in list.enumerated() {
      copyRow(values.span, from: token * features, to: place * features, into: &taken.values)
    }
    return taken
  }

  func replaceRows(from first: Int, with other: Activations) {
    let rows = other.values
    copyRow(rows.span, from: 0, count: rows.count, to: first * features, into: &values)
  }

  /// Adds the tokens that follow, in place.
  func append(_ other: Activations) {
    precondition(other.features == features)
    values += other.values
    tokens += other.tokens
  }

  /// Calls `body` with blocks of whole rows and the place of their first number, on several threads. The blocks
  /// do not depend on how many.
  func inRowBlocks(threads: Int, _ body: (inout MutableSpan<Float>, Int) -> Void) {
    let step = max(1, Self.blockSize / max(1, features)) * features
    let blocks = values.isEmpty ? 0 : (values.count - 1) / step + 1
    let threads = min(threads, blocks)
    guard threads > 1 else {
      Self.inOneBlock(&values, body)
      return
    }
    withoutActuallyEscaping(body) { body in
      // Every block is one thread's alone, and the array outlives the threads.
      unsafe values.withUnsafeMutableBufferPointer { numbers in
        nonisolated(unsafe) let (numbers, body) = unsafe (numbers, body)
        DispatchQueue.concurrentPerform(iterations: threads) { thread in
          for block in stride(from: thread, to: blocks, by: threads) {
            let range = unsafe block * step..<min((block + 1) * step, numbers.count)
            var rows = unsafe MutableSpan(
              _unsafeElements: UnsafeMutableBufferPointer(rebasing: numbers[range]))
            unsafe body(&rows, range.lowerBound)
          }
        }
      }
    }
  }

  private static func inOneBlock(
    _ values: inout [Float], _ body: (inout MutableSpan<Float>, Int) -> Void
  ) {
    var all = values.mutableSpan
    body(&all, 0)
  }

  /// Numbers of a block of rows, about.
  private static let blockSize = 1 << 15

  /// Consecutive features of all tokens.
  func columns(_ range: Range<Int>) -> Activations {
    let taken = Activations(tokens: tokens, features: range.count)
    copyColumns(
      values, features: features, from: range.lowerBound, count: range.count, to: 0,
      of: range.count, into: &taken.values)
    return taken
  }

  /// Runs of consecutive features of all tokens, put beside each other.
  ///
  /// - Parameter count: of all.
  func columns(_ runs: [FusedRows.PlacedRun], count: Int) -> Activations {
    let taken = Activations(tokens: tokens, features: count)
    for run in runs {
      copyColumns(
        values, features: features, from: run.source, count: run.count, to: run.target, of: count,
        into: &taken.values)
    }
    return taken
  }

  private func copyRow(
    _ source: Span<Float>, from: Int, count: Int? = nil, to: Int, into target: inout [Float]
  ) {
    for index in 0..<(count ?? features) { target[to + index] = source[from + index] }
  }

  /// Adds another's numbers, times a factor.
  func add(_ other: Activations, times factor: Float = 1) {
    precondition(other.values.count == values.count)
    addScaled(other.values, times: factor, to: &values)
  }

  func multiply(by factor: Float) {
    guard factor != 1 else { return }
    for index in values.indices { values[index] *= factor }
  }

  /// Adds vectors to tokens: `other`'s row `place` to token `tokens[place]`, times its factor.
  func add(_ other: Activations, to tokens: [Int], times factors: [Float]) {
    let rows = other.values
    for (place, token) in tokens.enumerated() {
      let factor = factors[place]
      for feature in 0..<features {
        values[token * features + feature] += rows[place * features + feature] * factor
      }
    }
  }

  /// The place of the first NaN or infinity; nil where there is none.
  var firstNonFinite: Int? {
    let values = values
    guard !Numbers.areFinite(values.span) else { return nil }
    return values.firstIndex { !$0.isFinite }
  }
}

func addScaled(_ other: [Float], times factor: Float, to values: inout [Float]) {
  for index in values.indices { values[index] += other[index] * factor }
}

/// Copies `count` columns of rows of `features` to columns of rows of `width`, from `target` on.
func copyColumns(
  _ source: [Float], features: Int, from first: Int, count: Int, to target: Int, of width: Int,
  into output: inout [Float]
) {
  guard features > 0, width > 0 else { return }
  for token in 0..<source.count / features {
    let (from, to) = (token * features + first, token * width + target)
    for index in 0..<count { output[to + index] = source[from + index] }
  }
}
