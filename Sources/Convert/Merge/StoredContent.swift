import Formats

/// Where the elements of a stored tensor come from when a packed file is written anew.
protocol StoredContent: Sendable {
  var dtype: DType { get }
  /// Units that the tensor is produced in, and the bytes of each: elements, or plain bytes.
  var unitCount: Int { get }
  var bytesPerUnit: Int { get }
  /// Units that are produced at a time.
  var tileUnits: Int { get }
  /// The checksum that the finished tensor must have; nil where it is new.
  var expectedChecksum: UInt64? { get }
  /// Leaves units `range` in `slot.output`.
  func produce(_ range: Range<Int>, in slot: RewriteSlot) throws
}

/// The buffers of one tile, reused from tile to tile; each is used by one thread at a time.
final class RewriteSlot {
  var output: [UInt8] = []
  var source: [UInt8] = []
  var scales: [Float] = []
  var values: [Float] = []
  var sums: [Double] = []
  var products: [Double] = []
  var pairs = PairCache()
  var rounding = BiasRounding()
}

/// What storing merged biases in their type lost.
package struct BiasRounding: Sendable, Equatable {
  /// Biases that an adapter moved.
  package var count = 0
  /// Largest `|stored - exact|`, in weight units.
  package var largest = 0.0
  /// The same in steps of the group's scale, the distance of neighbouring codes.
  package var largestInSteps = 0.0

  mutating func merge(_ other: BiasRounding) {
    count += other.count
    largest = max(largest, other.largest)
    largestInSteps = max(largestInSteps, other.largestInSteps)
  }
}

/// A tensor as it stands in a file.
struct StoredCopy: StoredContent {
  let file: SafetensorsFile
  let tensor: TensorInfo
  let expectedChecksum: UInt64?

  var dtype: DType { tensor.dtype }
  var unitCount: Int { tensor.byteCount }
  var bytesPerUnit: Int { 1 }
  var tileUnits: Int { 1 << 20 }

  func produce(_ range: Range<Int>, in slot: RewriteSlot) throws {
    slot.output.grow(to: range.count, filler: 0)
    try file.read(range, of: tensor, into: &slot.output)
  }
}

/// The biases of a packed tensor with pooled updates added.
///
/// In `w = code * scale + bias` an update that is constant within every group moves only the bias:
/// b'[o, j] = b[o, j] + factor · (B·A)[o, j·g / a]. The sum is formed in `Double` and rounded once.
/// Source: QA-LoRA, arXiv 2309.14717, section 3.3, written for an offset in weight units.
struct MergedBiases: StoredContent {
  let name: String
  let file: SafetensorsFile
  let scales: TensorInfo
  let biases: TensorInfo
  let layout: AffineLayout
  let type: ScaleType
  let updates: [LowRankUpdate]

  var dtype: DType { type.dtype }
  var unitCount: Int { biases.elementCount }
  var bytesPerUnit: Int { type.byteCount }
  var expectedChecksum: UInt64? { nil }
  /// Whole rows: an update is computed row by row.
  var tileUnits: Int { max(1, (1 << 16) / max(1, perRow)) * max(1, perRow) }
  private var perRow: Int { biases.dimensions[biases.dimensions.count - 1] }

  func produce(_ range: Range<Int>, in slot: RewriteSlot) throws {
    try read(range, of: scales, slot, into: &slot.scales)
    try read(range, of: biases, slot, into: &slot.values)
    slot.sums.grow(to: perRow, filler: 0)
    let pairs = try slot.pairs.pairs(of: name, updates)
    for start in stride(from: 0, to: range.count, by: perRow) {
      for index in 0..<perRow { slot.sums[index] = 0 }
      for pair in pairs {
        pair.add(
          row: (range.lowerBound + start) / perRow, groupSize: layout.groupSize, to: &slot.sums,
          scratch: &slot.products)
      }
      try store(start, first: range.lowerBound, in: slot)
    }
    slot.output.grow(to: range.count * type.byteCount, filler: 0)
    ElementEncoder.encode(slot.values, count: range.count, as: type, into: &slot.output)
  }

  /// Rounds the row that begins at `start` of the tile into `slot.values`.
  private func store(_ start: Int, first: Int, in slot: RewriteSlot) throws(MergeError) {
    let decoded = ScaleType(scales.dtype)?.promoted(with: type) ?? .f32
    let steps = Float(layout.largestCode)
    for index in 0..<perRow {
      let scale = slot.scales[start + index]
      let exact = Double(slot.values[start + index]) + slot.sums[index]
      let stored = type.round(exact)
      // The largest weight of the group must still be a number when a runtime decodes it.
      guard stored.isFinite, decoded.round(decoded.round(steps * scale) + stored).isFinite else {
        throw .overflow(tensor: biases.name, index: first + start + index, type: type)
      }
      let lost = abs(Double(stored) - exact)
      slot.rounding.count += 1
      slot.rounding.largest = max(slot.rounding.largest, lost)
      if scale != 0 {
        slot.rounding.largestInSteps = max(
          slot.rounding.largestInSteps, lost / abs(Double(scale)))
      }
      slot.values[start + index] = stored
    }
  }

  private func read(
    _ range: Range<Int>, of tensor: TensorInfo, _ slot: RewriteSlot, into values: inout [Float]
  ) throws {
    let size = tensor.dtype.bitCount / 8
    slot.source.grow(to: range.count * size, filler: 0)
    values.grow(to: range.count, filler: 0)
    try file.read(
      range.lowerBound * size..<range.upperBound * size, of: tensor, into: &slot.source)
    let decodes = ElementDecoder.decode(
      slot.source, count: range.count, as: tensor.dtype, into: &values)
    precondition(decodes, "scales and biases have a floating-point type")
  }
}
