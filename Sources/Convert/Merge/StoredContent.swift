import Formats

/// Where the elements of a stored tensor come from when a packed file is written anew.
protocol StoredContent: Sendable {
  var dtype: DType { get }
  /// Units that the tensor is produced in, and the bytes of each: elements, or plain bytes.
  var unitCount: Int { get }
  var bytesPerUnit: Int { get }
  /// Units that are produced at a time.
  var tileUnits: Int { get }
  /// The checksum that the finished tensor must have, and the file that it comes from; nil where
  /// it is new.
  var expected: (checksum: UInt64, file: String)? { get }
  /// Leaves units `range` in `slot.output`.
  func produce(_ range: Range<Int>, in slot: RewriteSlot) throws
}

/// The buffers of one tile, reused from tile to tile; each is used by one thread at a time.
final class RewriteSlot {
  var output: [UInt8] = []
  var source: [UInt8] = []
  var scales: [Float] = []
  var values: [Float] = []
  var tuned: [Float] = []
  var scratch = BiasMerge.Scratch()
  var pairs = PairCache()
  var rounding = BiasRounding()
}

/// A tensor as it stands in a file.
struct StoredCopy: StoredContent {
  let file: SafetensorsFile
  let tensor: TensorInfo
  let recordedChecksum: UInt64

  var expected: (checksum: UInt64, file: String)? { (recordedChecksum, file.path) }
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
  var expected: (checksum: UInt64, file: String)? { nil }
  /// Whole rows: an update is computed row by row.
  var tileUnits: Int { max(1, (1 << 16) / max(1, perRow)) * max(1, perRow) }
  private var perRow: Int { biases.dimensions[biases.dimensions.count - 1] }

  func produce(_ range: Range<Int>, in slot: RewriteSlot) throws {
    try file.readParameters(range, of: scales, slot, into: &slot.scales)
    try file.readParameters(range, of: biases, slot, into: &slot.values)
    try BiasMerge(
      name: biases.name, layout: layout, perRow: perRow,
      decoded: ScaleType(scales.dtype)?.promoted(with: type) ?? .f32, type: type
    ).apply(
      slot.pairs.pairs(of: name, updates), to: range, scales: slot.scales, biases: &slot.values,
      scratch: &slot.scratch, rounding: &slot.rounding)
    slot.output.grow(to: range.count * type.byteCount, filler: 0)
    ElementEncoder.encode(slot.values, count: range.count, as: type, into: &slot.output)
  }

}

extension SafetensorsFile {
  /// Decodes elements `range` of scales or biases into `values`.
  func readParameters(
    _ range: Range<Int>, of tensor: TensorInfo, _ slot: RewriteSlot, into values: inout [Float]
  ) throws {
    let size = tensor.dtype.bitCount / 8
    slot.source.grow(to: range.count * size, filler: 0)
    values.grow(to: range.count, filler: 0)
    try read(
      range.lowerBound * size..<range.upperBound * size, of: tensor, into: &slot.source)
    let decodes = ElementDecoder.decode(
      slot.source, count: range.count, as: tensor.dtype, into: &values)
    precondition(decodes, "scales and biases have a floating-point type")
  }
}
