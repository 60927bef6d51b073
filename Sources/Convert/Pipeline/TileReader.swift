import Formats

/// Reads the weights of a tile as `Float` values in the order of the packed layout.
struct TileReader {
  let checkpoint: Checkpoint
  /// What to do about NaN and infinities; nil to hand them over.
  let nonFinite: ConversionOptions.NonFinite?

  /// Reads elements `range` of the tensor, as they lie in the file, into `slot.weights`.
  func readRun(_ range: Range<Int>, of plan: TensorPlan, into slot: TileSlot) throws {
    let size = plan.tensor.info.dtype.bitCount / 8
    let bytes = range.lowerBound * size..<range.upperBound * size
    try readBytes(bytes, of: plan, into: slot)
    slot.weights.grow(to: range.count, filler: 0)
    try decode(slot.source, range.count, of: plan, into: &slot.weights)
    plan.scale?.apply(
      to: &slot.weights, count: range.count, start: range.lowerBound)
    slot.zeroedCount += try checkFinite(&slot.weights, count: range.count, of: plan) {
      range.lowerBound + $0
    }
  }

  /// Reads bytes `range` of the tensor into `slot.source`.
  func readBytes(_ range: Range<Int>, of plan: TensorPlan, into slot: TileSlot) throws {
    slot.source.grow(to: range.count, filler: 0)
    slot.sourceByteCount = range.count
    try checkpoint.read(range, of: plan.tensor, into: &slot.source)
  }

  /// Reads whole outputs `rows` of a tensor `[.., in, out]` into `slot.weights` as `[rows, in]`.
  /// `rows` counts through a stack of matrices and stays within one of them.
  func readTransposed(rows: Range<Int>, of plan: TensorPlan, into slot: TileSlot) throws {
    let shape = plan.tensor.info.dimensions
    let (inputs, outputs) = (shape[shape.count - 2], shape[shape.count - 1])
    let size = plan.tensor.info.dtype.bitCount / 8
    let (matrix, first) = rows.lowerBound.quotientAndRemainder(dividingBy: outputs)
    let count = rows.count * inputs
    slot.source.grow(to: count * size, filler: 0)
    slot.sourceByteCount = 0
    func element(_ input: Int) -> Int { (matrix * inputs + input) * outputs + first }
    for input in 0..<inputs {
      let start = element(input) * size
      try checkpoint.read(
        start..<start + rows.count * size, of: plan.tensor, into: &slot.source,
        at: input * rows.count * size)
    }
    slot.transposed.grow(to: count, filler: 0)
    slot.weights.grow(to: count, filler: 0)
    try decode(slot.source, count, of: plan, into: &slot.transposed)
    if let scale = plan.scale {
      for input in 0..<inputs {
        scale.apply(
          to: &slot.transposed, at: input * rows.count, count: rows.count, start: element(input))
      }
    }
    slot.zeroedCount += try checkFinite(&slot.transposed, count: count, of: plan) {
      element($0 / rows.count) + $0 % rows.count
    }
    for row in 0..<rows.count {
      for input in 0..<inputs {
        slot.weights[row * inputs + input] = slot.transposed[input * rows.count + row]
      }
    }
  }

  /// Reads whole rows of the output-major matrices into `slot.weights`, with the updates of adapters.
  ///
  /// - Parameter rows: counted through a stack of matrices; within one of them.
  func readRows(_ rows: Range<Int>, of plan: TensorPlan, into slot: TileSlot) throws {
    let elements = rows.lowerBound * plan.inputCount..<rows.upperBound * plan.inputCount
    if plan.identity.isTransposed {
      try readTransposed(rows: rows, of: plan, into: slot)
    } else {
      try readRun(elements, of: plan, into: slot)
    }
    try merge(elements, of: plan, in: slot)
  }

  /// Merges adapters into `slot.weights`, elements `range` of the tensor's output-major matrix.
  func merge(_ range: Range<Int>, of plan: TensorPlan, in slot: TileSlot) throws {
    guard let update = plan.update, update.changesWeights else { return }
    var weights: [Float] = []
    swap(&weights, &slot.weights)
    defer { swap(&weights, &slot.weights) }
    try update.merge(
      into: &weights, count: range.count, start: range.lowerBound,
      inputs: max(1, plan.inputCount), name: plan.name, slot: slot)
  }

  private func decode(
    _ bytes: [UInt8], _ count: Int, of plan: TensorPlan, into weights: inout [Float]
  ) throws {
    guard ElementDecoder.decode(bytes, count: count, as: plan.tensor.info.dtype, into: &weights)
    else {
      throw ConversionError.undecodable(
        file: checkpoint.fileName(of: plan.tensor), tensor: plan.name,
        dtype: plan.tensor.info.dtype)
    }
  }

  /// Refuses NaN and infinities, or makes them zero.
  ///
  /// - Parameter index: the index in the tensor of element `i` of the run.
  /// - Returns: how many were made zero.
  private func checkFinite(
    _ weights: inout [Float], count: Int, of plan: TensorPlan, index: (Int) -> Int
  ) throws -> Int {
    guard let nonFinite else { return 0 }
    // Exponent all ones: infinity or NaN. An integer maximum vectorizes.
    var largest: UInt32 = 0
    for i in 0..<count { largest = max(largest, weights[i].bitPattern & 0x7FFF_FFFF) }
    guard largest >= 0x7F80_0000 else { return 0 }
    let places = (0..<count).filter { !weights[$0].isFinite }
    switch nonFinite {
    case .zero:
      for place in places { weights[place] = 0 }
      return places.count
    case .error:
      throw ConversionError.nonFinite(
        file: checkpoint.fileName(of: plan.tensor), tensor: plan.name, index: index(places[0]),
        value: weights[places[0]].isNaN ? "NaN" : "\(weights[places[0]])", count: places.count)
    }
  }
}
