import Formats
import Stats

/// Holds the fast readers against the plain decoder on some rows of a packed tensor, so that a
/// fault which converter and comparison have in common does not pass for agreement.
struct RowCheck {
  private let packed: PackedCheckpoint
  private let packedDecoder: PlainDecoder
  private let sourceDecoder: PlainDecoder
  /// The tensors of a source that is packed itself, by name.
  private let packedSources: [String: PackedCheckpoint.Tensor]

  /// Both form the sums in double precision, in different orders.
  private static let tolerance = 1e-9
  /// The fast readers subtract in single precision.
  private static let singleTolerance = 1e-6
  private static let rowsBetween = 2

  /// - Throws: `ManifestError`, `PackedError` where the source is packed and not what it should be.
  ///
  /// - Parameter folding: what was done to the source's channels.
  init(_ packed: PackedCheckpoint, source: Checkpoint, folding: Folding? = nil) throws {
    self.packed = packed
    packedSources = Dictionary(
      (try PackedCheckpoint(ifPacked: source)?.tensors ?? []).map { ($0.entry.name, $0) },
      uniquingKeysWith: { first, _ in first })
    packedDecoder = PlainDecoder(packed.checkpoint)
    sourceDecoder = PlainDecoder(source, folding: folding)
  }

  /// The first row, the last, and some between, always the same.
  static func rows(_ count: Int) -> [Int] {
    guard count > 0 else { return [] }
    let steps = rowsBetween + 1
    return Set((0...steps).map { $0 * (count - 1) / steps }).sorted()
  }

  /// - Parameter fast: what the fast readers find that a row loses.
  func finding(
    _ index: Int, fast: (_ row: Int) throws -> QuantizationError
  ) throws -> Finding? {
    let tensor = packed.tensors[index]
    guard case .affine(let layout) = tensor.entry.layout,
      let groups = tensor.stored[1].info.dimensions.last, groups > 0
    else { return nil }
    let inputs = groups * layout.groupSize
    for row in Self.rows(tensor.stored[1].info.elementCount / groups) {
      guard let weights = try sourceRow(row, of: tensor.entry, inputs: inputs) else {
        return finding(tensor, "has rows or a scale in the source that are of no known kind")
      }
      let plain = Self.error(
        weights, try packedDecoder.packedRow(row, of: tensor, inputs: inputs))
      let found = try fast(row)
      guard plain.squaredNorm.agrees(with: found.squaredNorm, within: Self.tolerance),
        plain.squaredError.agrees(with: found.squaredError, within: Self.tolerance),
        plain.largestError.agrees(with: found.largestError, within: Self.singleTolerance)
      else {
        return finding(
          tensor,
          "loses \(plain.squaredError) of \(plain.squaredNorm) in row \(row) when decoded"
            + " plainly; the comparison found \(found.squaredError) of \(found.squaredNorm):"
            + " this is a fault of decant's")
      }
    }
    return nil
  }

  private func sourceRow(
    _ row: Int, of entry: Manifest.Entry, inputs: Int
  ) throws -> [Double]? {
    // A source that is packed itself may hold the tensor as it is.
    let isHeld = packedSources[entry.name].map { $0.entry.origin == entry.origin } ?? false
    guard let origin = entry.origin, !isHeld else {
      return try sourceRow(row, of: entry, packed: (entry.name, row), origin: nil, inputs: inputs)
    }
    let values = try sourceRow(
      row, of: entry, packed: Self.packedRow(row, of: entry, origin), origin: origin,
      inputs: inputs)
    return values.map { PlainDecoder.changed($0, origin.changes, row: row, of: entry) }
  }

  /// A row as the source holds it: in a packed tensor, or as it is.
  private func sourceRow(
    _ row: Int, of entry: Manifest.Entry, packed: (name: String, row: Int),
    origin: TensorOrigin?, inputs: Int
  ) throws -> [Double]? {
    if let source = packedSources[packed.name], case .affine(let layout) = source.entry.layout {
      // Rows of another length are no rows of the same weight.
      guard let groups = source.stored[1].info.dimensions.last, groups * layout.groupSize == inputs
      else { return nil }
      return try sourceDecoder.packedRow(packed.row, of: source, inputs: inputs)
    }
    return try sourceDecoder.sourceRow(row, of: entry, origin: origin)
  }

  /// The packed tensor that a row is taken from, and its row there: packed weights are output-major.
  private static func packedRow(
    _ row: Int, of entry: Manifest.Entry, _ origin: TensorOrigin
  ) -> (String, Int) {
    let shape = origin.shape.map { Int(clamping: $0) }
    guard shape.count >= 2 else { return (entry.name, row) }
    let rows = origin.order == .inputMajor ? shape[shape.count - 1] : shape[shape.count - 2]
    let matrices = shape.dropLast(2).reduce(1, *)
    let count = origin.outputs?.count ?? rows
    let (matrix, output) = row.quotientAndRemainder(dividingBy: count)
    return (
      origin.names[matrix / matrices],
      matrix % matrices * rows + (origin.outputs?.first ?? 0) + output * (origin.outputs?.step ?? 1)
    )
  }

  private func finding(_ tensor: PackedCheckpoint.Tensor, _ text: String) -> Finding {
    let file = packed.checkpoint.files[tensor.stored[0].file].path
    return Finding(
      file: file, tensor: tensor.entry.name, rule: .secondDecode,
      message: "\(file): tensor '\(tensor.entry.name)' \(text)")
  }

  private static func error(_ weights: [Double], _ decoded: [Double]) -> QuantizationError {
    var error = QuantizationError()
    for (weight, value) in zip(weights, decoded) {
      // What is not finite was packed as 0, or there would be no packed file.
      let weight = weight.isFinite ? weight : 0
      error.squaredNorm += weight * weight
      error.squaredError += (weight - value) * (weight - value)
      error.largestError = max(error.largestError, abs(weight - value))
    }
    return error
  }
}
