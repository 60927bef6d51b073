import Formats

/// What GPTQ needs of the inputs of one matrix of weights: H, its factors, and what errors count.
///
/// H = U D Uᵀ with U unit upper triangular. U takes the place of the Cholesky factor of the inverse in GPTQ
/// (arXiv 2210.17323, section 3.3): rounding errors that go through it come out the same (QuIP, arXiv
/// 2307.13304, on LDLQ), and nothing is inverted. Of a channel that was always 0, only the damping is left in
/// its row and column: its weights are rounded to nearest, and neither take up errors nor pass them on.
struct GPTQFactors: Sendable {
  /// The input channel in each place.
  let order: [Int32]
  /// U by places, as `quantizeWithFeedback` takes it.
  let feedback: [Float]
  /// D by places.
  let energies: [Float]
  /// H, damped, by channels, as `descend` takes it.
  let gram: [Float]
  /// What errors count by channel where scales are searched; nil where all count alike.
  let importance: [Float]?

  /// Of the mean of the diagonal, added to it before factoring: GPTQ's `percdamp`.
  static let damping = 0.01
  /// Dampings that are tried, each ten times the one before.
  private static let attempts = 4

  var byteCount: Int { 4 * (feedback.count + gram.count + 3 * energies.count) }

  /// - Parameters:
  ///   - weight: the tensor whose inputs they are, for messages; likewise `file`.
  ///   - damping: the first to try.
  /// - Throws: `GramError.impossible`, `.notDefinite`.
  init(
    _ gram: GramMatrix, of weight: String, in file: String, damping: Double = Self.damping,
    order columnOrder: ColumnOrder = .fallingEnergy
  ) throws(GramError) {
    let count = gram.order
    precondition(count % 4 == 0, "groups divide the inputs")
    try Self.check(gram, weight, file)
    let diagonal = (0..<count).map { Double(gram[$0, $0]) }
    let mean = diagonal.reduce(0, +) / Double(max(1, count))
    let channels = columnOrder.channels(diagonal)
    var share = damping
    var factor: [Double]?
    // Without any input all errors count alike.
    var added = mean > 0 ? mean * share : 1
    for attempt in 0..<Self.attempts {
      if attempt > 0 {
        share *= 10
        added *= 10
      }
      factor = Self.factor(gram, channels, adding: added)
      if factor != nil { break }
    }
    guard let factor else { throw .notDefinite(file: file, tensor: weight, damping: share) }
    order = channels.map { Int32($0) }
    importance = ChannelImportance.measured(meanSquares: diagonal.map { Float($0 + added) })
    energies = (0..<count).map { place in
      let pivot = factor[Self.index(count - 1 - place, count - 1 - place)]
      return Float(pivot * pivot)
    }
    feedback = Self.feedback(factor, count)
    self.gram = Self.panels(gram, adding: added)
  }

  private static func check(
    _ gram: GramMatrix, _ weight: String, _ file: String
  ) throws(GramError) {
    var index = 0
    for row in 0..<gram.order {
      for column in 0...row {
        let value = gram.values[index]
        guard value.isFinite, column < row || value >= 0 else {
          throw .impossible(
            file: file, tensor: weight, row: row, column: column, value: "\(value)")
        }
        index += 1
      }
    }
  }

  /// Place of an element of a lower triangle that is kept by rows.
  private static func index(_ row: Int, _ column: Int) -> Int { row * (row + 1) / 2 + column }

  /// The lower Cholesky factor of the damped matrix with its channels from the last place to the first; nil
  /// where it has none.
  private static func factor(
    _ gram: GramMatrix, _ channels: [Int], adding added: Double
  ) -> [Double]? {
    let count = gram.order
    var matrix = [Double](repeating: 0, count: gram.values.count)
    var index = 0
    for row in 0..<count {
      let channel = channels[count - 1 - row]
      for column in 0...row {
        matrix[index] = Double(gram[channel, channels[count - 1 - column]])
        index += 1
      }
      matrix[index - 1] += added
    }
    return GPTQKernels.factor(&matrix, order: count) ? matrix : nil
  }

  private static func feedback(_ factor: [Double], _ count: Int) -> [Float] {
    var feedback: [Float] = []
    feedback.reserveCapacity(count / 4 * (count / 4 + 1) * 8)
    for first in stride(from: 0, to: count, by: 4) {
      let pivots = (first..<first + 4).map { factor[index(count - 1 - $0, count - 1 - $0)] }
      for earlier in 0..<first + 4 {
        for place in first..<first + 4 {
          feedback.append(
            earlier < place
              ? Float(
                factor[index(count - 1 - earlier, count - 1 - place)] / pivots[place - first])
              : 0)
        }
      }
    }
    return feedback
  }

  private static func panels(_ gram: GramMatrix, adding added: Double) -> [Float] {
    let count = gram.order
    var panels: [Float] = []
    panels.reserveCapacity(count * count)
    for first in stride(from: 0, to: count, by: 4) {
      for row in 0..<count {
        for column in first..<first + 4 {
          let value = gram[row, column]
          panels.append(row == column ? Float(Double(value) + added) : value)
        }
      }
    }
    return panels
  }
}
