import Formats

/// Makes the bytes of tensors, a few rows at a time.
///
/// What quantizers find hard is in them: heavy tails, single outliers, and inputs whose weights are
/// small because their activations are large (Xiao et al., "SmoothQuant", 2022).
struct TensorFiller {
  /// Numbers that are made at a time, about.
  private static let tileCount = 1 << 18
  /// Of so many inputs one is an outlier channel, and its weights are a tenth.
  private static let channelDistance = 256
  private static let channelFactor: Float = 0.1

  private let noise: WeightNoise
  private let codes: Float8Codes
  private var weights: [Float] = []
  private var bytes: [UInt8] = []

  init(seed: Int) {
    noise = WeightNoise(seed: seed)
    codes = Float8Codes(noise)
  }

  /// Goes through a tensor's bytes.
  ///
  /// - Parameters:
  ///   - index: what sets its numbers apart from those of the others.
  ///   - body: given a buffer, and how many bytes from its start are the next.
  mutating func forEachTile(
    of tensor: GeneratedTensor, index: Int, _ body: ([UInt8], _ count: Int) throws -> Void
  ) rethrows {
    let columns = tensor.shape.last!
    let rows = tensor.elementCount / columns
    let step = max(1, Self.tileCount / columns)
    weights.grow(to: step * columns, filler: 0)
    bytes.grow(to: 4 * step * columns, filler: 0)
    let scale = 1 / Float(columns).squareRoot()
    for row in stride(from: 0, to: rows, by: step) {
      let count = min(step, rows - row) * columns
      let start = row * columns
      let key = noise.key(index)
      switch (tensor.content, tensor.dtype) {
      case (.norm, _):
        noise.pick(from: noise.values, into: &weights, count: count, key: key, start: start)
        for i in 0..<count { weights[i] = 1 + 0.1 * weights[i] }
      case (.blockScales(let inputs), _):
        fillScales(count: count, start: start, inputs: inputs, key: key)
      case (.matrix, .f8E4M3):
        noise.pick(from: codes.table, into: &bytes, count: count, key: key, start: start)
        for i in outlierInputs(columns, count) { bytes[i] = codes.tenths[Int(bytes[i])] }
      case (.matrix, _):
        noise.pick(from: noise.values, into: &weights, count: count, key: key, start: start)
        for i in 0..<count { weights[i] *= scale }
        for i in outlierInputs(columns, count) { weights[i] *= Self.channelFactor }
      }
      if let type = ScaleType(tensor.dtype) {
        ElementEncoder.encode(weights, count: count, as: type, into: &bytes)
      }
      try body(bytes, count * tensor.dtype.bitCount / 8)
    }
  }

  /// The weights of a tile that belong to outlier channels: the same inputs of every tensor.
  private func outlierInputs(_ columns: Int, _ count: Int) -> StrideTo<Int> {
    // Rows have a multiple of the distance, so that one stride goes through all of them.
    stride(
      from: Self.channelDistance / 3, to: columns % Self.channelDistance == 0 ? count : 0,
      by: Self.channelDistance)
  }

  /// Factors that give blocks about the same size, and no two of them quite the same.
  private mutating func fillScales(count: Int, start: Int, inputs: Int, key: UInt64) {
    // Hashes come in fours, and scales in any number.
    var all = [Float](repeating: 0, count: (start + count + 3) / 4 * 4)
    noise.pick(from: noise.values, into: &all, count: all.count, key: key, start: 0)
    let unit = 1 / (Float(inputs).squareRoot() * Float8Codes.unit)
    for i in 0..<count {
      weights[i] = unit * (1 + 0.1 * min(4, max(-4, all[start + i])))
    }
  }
}
