import Formats
import Stats

/// A run of a tensor that is processed at once. All tiles of a tensor lie one after the other.
struct TileJob {
  /// Index into the plan's tensors.
  let tensor: Int
  let content: Content

  enum Content {
    /// Bytes of the source that are copied or only read for the source's checksum.
    case bytes(Range<Int>)
    /// Elements that are decoded, and stored without quantization.
    case elements(Range<Int>)
    /// Groups of the packed tensor, whose weights lie one after the other in the source.
    case groups(Range<Int>)
    /// Groups of whole rows of one matrix that is stored input-major.
    case transposedGroups(Range<Int>)
  }

  /// Whether the bytes read are the next of the source file, to go into its checksum.
  let countsForChecksum: Bool
}

/// The way a plan is cut into tiles. Tiles have a fixed size, so that sums over them do not depend
/// on the number of threads.
enum Tiling {
  /// Weights in a tile: a multiple of every group size.
  static let weightCount = 1 << 18
  private static let byteCount = 1 << 20

  static func jobs(_ plan: ConversionPlan) -> [TileJob] {
    plan.tensors.indices.flatMap { jobs(plan.tensors[$0], index: $0) }
  }

  private static func jobs(_ tensor: TensorPlan, index: Int) -> [TileJob] {
    func job(_ content: TileJob.Content, countsForChecksum: Bool) -> TileJob {
      TileJob(tensor: index, content: content, countsForChecksum: countsForChecksum)
    }
    let byteTiles = ranges(tensor.tensor.info.byteCount, step: byteCount).map {
      TileJob.Content.bytes($0)
    }
    switch tensor.action {
    case .drop, .copy: return byteTiles.map { job($0, countsForChecksum: true) }
    case .decode:
      // Whole rows, for those whose length an adapter sets.
      let unit = tensor.update?.magnitude == nil ? 1 : max(1, tensor.inputCount)
      return ranges(
        tensor.tensor.info.elementCount, step: max(1, weightCount / unit) * unit
      ).map { job(.elements($0), countsForChecksum: true) }
    case .quantize(let layout, _):
      let groups = groupTiles(tensor, layout)
      guard tensor.identity.isTransposed else {
        return groups.map { job($0, countsForChecksum: true) }
      }
      // Read once in order for the checksum, then by columns.
      return byteTiles.map { job($0, countsForChecksum: true) }
        + groups.map { job($0, countsForChecksum: false) }
    }
  }

  /// The tiles in which a packed or raw tensor is compared with its source: those in which it was
  /// made.
  static func contents(of entry: Manifest.Entry, source: TensorPlan) -> [TileJob.Content] {
    if case .affine(let layout, _) = entry.encoding { return groupTiles(source, layout) }
    return ranges(source.tensor.info.byteCount, step: weightCount).map { .bytes($0) }
  }

  /// The tiles in which a tensor of the source is measured: those in which it would be quantized,
  /// else runs of elements.
  static func contents(_ tensor: TensorPlan) -> [TileJob.Content] {
    if case .quantize(let layout, _) = tensor.action { return groupTiles(tensor, layout) }
    return ranges(tensor.tensor.info.elementCount, step: weightCount).map { .elements($0) }
  }

  private static func groupTiles(
    _ tensor: TensorPlan, _ layout: AffineLayout
  ) -> [TileJob.Content] {
    let groups = tensor.tensor.info.elementCount / layout.groupSize
    let needsRows = tensor.update?.magnitude != nil
    guard tensor.identity.isTransposed || needsRows else {
      return ranges(groups, step: weightCount / layout.groupSize).map { .groups($0) }
    }
    let perRow = tensor.inputCount / layout.groupSize
    let rows = perRow == 0 ? 0 : groups / perRow
    let matrixRows = Int(clamping: tensor.outputMajorShape.dropLast().last ?? 1)
    return rowTiles(rows, matrixRows: matrixRows, inputs: tensor.inputCount).map {
      let range = $0.lowerBound * perRow..<$0.upperBound * perRow
      return tensor.identity.isTransposed ? .transposedGroups(range) : .groups(range)
    }
  }

  /// Runs of rows of about a tile's size that never cross from one matrix of a stack into the next.
  static func rowTiles(_ rows: Int, matrixRows: Int, inputs: Int) -> [Range<Int>] {
    guard matrixRows > 0 else { return [] }
    let step = max(1, weightCount / max(1, inputs))
    return stride(from: 0, to: rows, by: matrixRows).flatMap { first in
      ranges(min(matrixRows, rows - first), step: step).map {
        first + $0.lowerBound..<first + $0.upperBound
      }
    }
  }

  static func ranges(_ count: Int, step: Int) -> [Range<Int>] {
    stride(from: 0, to: count, by: step).map { $0..<min($0 + step, count) }
  }
}

/// The buffers of one tile, reused from tile to tile; each is used by one thread at a time.
final class TileSlot {
  /// Bytes read from the source.
  var source: [UInt8] = []
  var sourceByteCount = 0
  /// NaN and infinities of the tile that were made zero.
  var zeroedCount = 0
  var weights: [Float] = []
  var transposed: [Float] = []
  var codes: [UInt8] = []
  var scales: [Float] = []
  var biases: [Float] = []
  /// What goes into each stored tensor of the tile's tensor, from the start of the buffer.
  var outputs: [Output] = []
  var outputCount = 0
  var error = QuantizationError()
  var rounding = BiasRounding()
  /// The adapters' pairs for the tile's tensor: merged into weights, and into biases.
  var densePairs = PairCache()
  var pooledPairs = PairCache()
  var products: [Float] = []
  var biasScratch = BiasMerge.Scratch()
  private var quantizers: [QuantizerKey: GroupQuantizer] = [:]

  private struct QuantizerKey: Hashable {
    let layout: AffineLayout
    let scaleType: ScaleType
  }

  /// The slot's own quantizer for a layout, made when first asked for.
  func withQuantizer<R>(
    _ layout: AffineLayout, _ scaleType: ScaleType, _ method: QuantizationMethod,
    _ body: (inout GroupQuantizer) -> R
  ) -> R {
    let key = QuantizerKey(layout: layout, scaleType: scaleType)
    return body(
      &quantizers[
        key, default: GroupQuantizer(layout: layout, method: method, scaleType: scaleType)])
  }

  /// Makes room for outputs of these sizes in bytes.
  func prepareOutputs(_ sizes: [Int]) {
    while outputs.count < sizes.count { outputs.append(Output()) }
    outputCount = sizes.count
    for (index, size) in sizes.enumerated() {
      outputs[index].bytes.grow(to: size, filler: 0)
      outputs[index].byteCount = size
    }
  }

  struct Output {
    var bytes: [UInt8] = []
    var byteCount = 0
    /// Position in the stored tensor.
    var offset = 0
  }
}

extension Array {
  /// Makes the array at least `count` long; what was there stays.
  mutating func grow(to count: Int, filler: Element) {
    if self.count < count { append(contentsOf: repeatElement(filler, count: count - self.count)) }
  }
}
