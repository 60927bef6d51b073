import Formats

/// Makes better, row by row, what a search found for a matrix of weights: codes that make up for one another's
/// errors (GPTQ), then scales, biases and codes in turns, each the best for the others. One instance serves one
/// thread.
///
/// The weighted error of a row is `(w - w') H (w - w')ᵀ`, H damped. A row stays as it was found where that
/// does not become smaller, so that it is never larger than the search's.
struct GPTQQuantizer {
  private let quantizer: WeightQuantizer
  private let level: ProcessorLevel
  /// Times that all groups are gone through after the codes were chosen.
  private static let sweeps = 4
  private static let rows = GPTQKernels.stripRows

  // Of sixteen rows, side by side.
  private var weights: [Float] = []
  private var codes: [Float] = []
  private var residuals: [Float] = []
  private var history: [Float] = []
  private var scales: [Float] = []
  private var biases: [Float] = []
  private var room: [Float] = []
  private var errors = [Double](repeating: 0, count: rows)

  /// - Parameter level: which kernels are used; what comes out does not depend on it.
  init(_ quantizer: WeightQuantizer, level: ProcessorLevel = .current) {
    self.quantizer = quantizer
    self.level = level
  }

  /// Improves whole rows.
  ///
  /// - Parameters:
  ///   - weights: finite, `[rows, inputs]` from the start.
  ///   - decoded: what `groups` decode to, likewise.
  ///   - groups: what the search found.
  mutating func improve(
    _ groups: inout PackedGroups, of weights: [Float], decoded: [Float], rows: Int,
    _ factors: GPTQFactors
  ) {
    let inputs = factors.order.count
    precondition(weights.count >= rows * inputs && decoded.count >= rows * inputs)
    reserve(inputs)
    for first in stride(from: 0, to: rows, by: Self.rows) {
      let strip = first..<min(first + Self.rows, rows)
      load(strip, weights, decoded, groups, inputs)
      measure(factors)
      let found = errors
      quantize(factors)
      for (lane, row) in strip.enumerated() where errors[lane] < found[lane] {
        store(lane, row, into: &groups, inputs)
      }
    }
  }

  private mutating func reserve(_ inputs: Int) {
    let count = inputs * Self.rows
    let parameters = inputs / quantizer.layout.groupSize * Self.rows
    weights.grow(to: count, filler: 0)
    codes.grow(to: count, filler: 0)
    residuals.grow(to: count, filler: 0)
    history.grow(to: count, filler: 0)
    scales.grow(to: parameters, filler: 0)
    biases.grow(to: parameters, filler: 0)
    room.grow(to: 3 * quantizer.layout.groupSize * Self.rows, filler: 0)
  }

  /// Puts rows side by side; rows that are not there are 0.
  private mutating func load(
    _ strip: Range<Int>, _ source: [Float], _ decoded: [Float], _ groups: PackedGroups,
    _ inputs: Int
  ) {
    let perRow = inputs / quantizer.layout.groupSize
    for lane in 0..<Self.rows {
      let row = strip.lowerBound + lane
      let isThere = row < strip.upperBound
      for input in 0..<inputs {
        let weight = isThere ? source[row * inputs + input] : 0
        weights[input * Self.rows + lane] = weight
        residuals[input * Self.rows + lane] =
          isThere ? weight - decoded[row * inputs + input] : 0
      }
      for group in 0..<perRow {
        scales[group * Self.rows + lane] = isThere ? groups.scales[row * perRow + group] : 0
        biases[group * Self.rows + lane] = isThere ? groups.biases[row * perRow + group] : 0
      }
    }
  }

  private mutating func measure(_ factors: GPTQFactors) {
    GPTQKernels.weightedErrors(
      residuals, factors, level: level, history: &history, errors: &errors)
  }

  private mutating func quantize(_ factors: GPTQFactors) {
    GPTQKernels.quantize(
      weights, factors, scales: scales, biases: biases, quantizer, level: level,
      history: &history, codes: &codes, residuals: &residuals, errors: &errors)
    for _ in 0..<Self.sweeps {
      GPTQKernels.descend(
        weights, factors, quantizer, level: level, codes: &codes, scales: &scales,
        biases: &biases, residuals: &residuals, room: &room, errors: &errors)
    }
  }

  private func store(
    _ lane: Int, _ row: Int, into groups: inout PackedGroups, _ inputs: Int
  ) {
    let perRow = inputs / quantizer.layout.groupSize
    for input in 0..<inputs {
      groups.codes[row * inputs + input] = UInt8(codes[input * Self.rows + lane])
    }
    for group in 0..<perRow {
      groups.scales[row * perRow + group] = scales[group * Self.rows + lane]
      groups.biases[row * perRow + group] = biases[group * Self.rows + lane]
    }
  }
}
