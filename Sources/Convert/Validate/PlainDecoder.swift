import Formats
import Foundation
import Model

/// A second decoder, slow and plain, written from docs/FORMAT.md and the formats' definitions.
///
/// It judges what the fast readers give, so it must share nothing with them but the reading of
/// bytes: no tiles, no bit tricks, no tables. Whoever makes it faster takes away its worth.
struct PlainDecoder {
  /// A binary floating-point format: sign, exponent, fraction.
  private struct FloatFormat: Sendable {
    let exponentBits: Int
    let fractionBits: Int
    let bias: Int
    /// Whether the highest exponent holds infinities and NaN, as in IEEE 754.
    var hasInfinities = true
    /// Codes, without the sign or with it, that are NaN in formats without infinities.
    var isNaN: @Sendable (UInt64) -> Bool = { _ in false }

    var bitCount: Int { 1 + exponentBits + fractionBits }

    func value(_ code: UInt64) -> Double {
      let fraction = Double(code % (1 << UInt64(fractionBits))) / Double(1 << fractionBits)
      let exponent = Int(code >> UInt64(fractionBits)) % (1 << exponentBits)
      let sign: Double = code >> UInt64(bitCount - 1) == 1 ? -1 : 1
      if isNaN(code) { return .nan }
      if hasInfinities, exponent == 1 << exponentBits - 1 {
        return fraction == 0 ? sign * .infinity : .nan
      }
      if exponent == 0 { return sign * fraction * pow(2, Double(1 - bias)) }
      return sign * (1 + fraction) * pow(2, Double(exponent - bias))
    }

    /// The nearest value of the format, ties to even; infinity beyond the largest.
    func rounded(_ value: Double) -> Double {
      guard value != 0, value.isFinite else { return value }
      let exponent = max(Int(value.exponent), 1 - bias)
      let unit = pow(2, Double(exponent - fractionBits))
      let result = (value / unit).rounded(.toNearestOrEven) * unit
      let beyond = pow(2, Double(1 << exponentBits - 1 - bias))
      return abs(result) >= beyond ? (result < 0 ? -.infinity : .infinity) : result
    }
  }

  private static let single = FloatFormat(exponentBits: 8, fractionBits: 23, bias: 127)

  private static func format(_ dtype: DType) -> FloatFormat? {
    switch dtype {
    case .f64: FloatFormat(exponentBits: 11, fractionBits: 52, bias: 1023)
    case .f32: single
    case .f16: FloatFormat(exponentBits: 5, fractionBits: 10, bias: 15)
    case .bf16: FloatFormat(exponentBits: 8, fractionBits: 7, bias: 127)
    case .f8E5M2: FloatFormat(exponentBits: 5, fractionBits: 2, bias: 15)
    case .f8E4M3:
      FloatFormat(exponentBits: 4, fractionBits: 3, bias: 7, hasInfinities: false) {
        $0 % 128 == 127
      }
    case .f8E4M3FNUZ:
      FloatFormat(exponentBits: 4, fractionBits: 3, bias: 8, hasInfinities: false) { $0 == 128 }
    case .f8E5M2FNUZ:
      FloatFormat(exponentBits: 5, fractionBits: 2, bias: 16, hasInfinities: false) { $0 == 128 }
    default: nil
    }
  }

  private let checkpoint: Checkpoint
  private let tensors: [String: Checkpoint.Tensor]

  /// What the elements of a source were scaled by, where channels were.
  private let folding: Folding?

  init(_ checkpoint: Checkpoint, folding: Folding? = nil) {
    self.checkpoint = checkpoint
    self.folding = folding
    tensors = Dictionary(
      checkpoint.tensors.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The decoded weights of a row of a packed tensor; rows count through a stack of matrices.
  func packedRow(_ row: Int, of tensor: PackedCheckpoint.Tensor, inputs: Int) throws -> [Double] {
    guard case .affine(let layout) = tensor.entry.layout else { return [] }
    let (weight, scales, biases) = (tensor.stored[0], tensor.stored[1], tensor.stored[2])
    let rowBytes = inputs * layout.bits / 8
    var bytes = [UInt8](repeating: 0, count: rowBytes)
    try checkpoint.read(row * rowBytes..<(row + 1) * rowBytes, of: weight, into: &bytes)
    let groups = inputs / layout.groupSize
    let scale = try elements(row * groups..<(row + 1) * groups, of: scales)
    let bias = try elements(row * groups..<(row + 1) * groups, of: biases)
    let type =
      scales.info.dtype == biases.info.dtype
      ? Self.format(scales.info.dtype) ?? Self.single : Self.single
    return (0..<inputs).map { index in
      var code = 0
      for bit in 0..<layout.bits {
        let place = index * layout.bits + bit
        if bytes[place / 8] / UInt8(1 << (place % 8)) % 2 == 1 { code += 1 << bit }
      }
      let group = index / layout.groupSize
      let product = type.rounded(Self.single.rounded(Double(code) * scale[group]))
      return type.rounded(Self.single.rounded(product + bias[group]))
    }
  }

  /// The weights of a row as the source gives them, in single precision and with its scale; nil
  /// where the scale is of no kind that is known here.
  ///
  /// - Parameter origin: what of which tensors the entry is; nil for the one of its name.
  func sourceRow(_ row: Int, of entry: Manifest.Entry, origin: TensorOrigin?) throws -> [Double]? {
    guard let (name, places) = places(ofRow: row, of: entry, origin) else { return nil }
    guard let tensor = tensors[name] else {
      return try blockElements(places, of: name, shape: origin?.shape ?? entry.sourceShape)
    }
    var values = try elements(places, of: tensor).map(Self.single.rounded)
    if tensor.info.dtype.isFloat8 {
      // Heads that are turned were output-major before.
      let isInputMajor =
        origin.map { $0.order == .inputMajor && $0.matrixRows == nil }
        ?? (entry.order == .inputMajor)
      guard let factors = try scaleFactors(places, of: tensor, isInputMajor: isInputMajor) else {
        return nil
      }
      values = zip(values, factors).map { Self.single.rounded($0 * $1) }
    }
    guard let (rows, columns) = folding?.factors(of: name), rows != nil || columns != nil else {
      return values
    }
    let shape = tensor.info.dimensions
    let (height, width) = (shape[shape.count - 2], shape[shape.count - 1])
    return zip(values, places).map { value, place in
      let factor =
        Double(rows?[place / width % height] ?? 1) * Double(columns?[place % width] ?? 1)
      return Self.single.rounded(value * factor)
    }
  }

  /// The tensor of the source that a row of an entry comes from, and the numbers of its elements.
  private func places(
    ofRow row: Int, of entry: Manifest.Entry, _ origin: TensorOrigin?
  ) -> (name: String, places: [Int])? {
    guard let origin else {
      let dimensions = (tensors[entry.name]?.info.shape ?? entry.sourceShape)
        .map { Int(clamping: $0) }
      guard dimensions.count >= 2, let last = dimensions.last else { return nil }
      guard entry.order == .inputMajor else {
        return (entry.name, Array(row * last..<(row + 1) * last))
      }
      // Row `output` of the layout is a column of matrix `matrix`.
      let rows = dimensions[dimensions.count - 2]
      let (matrix, output) = row.quotientAndRemainder(dividingBy: last)
      return (entry.name, (0..<rows).map { (matrix * rows + $0) * last + output })
    }
    // docs/FORMAT.md, "Origins".
    let shape = origin.shape.map { Int(clamping: $0) }
    guard let columns = shape.last, shape.count >= 2 else { return nil }
    let rows = origin.matrixRows ?? shape[shape.count - 2]
    let all = shape.dropLast().reduce(1, *) / rows
    let (allOutputs, allInputs) = origin.order == .inputMajor ? (columns, rows) : (rows, columns)
    let (first, count, step) =
      origin.outputs.map { ($0.first, $0.count, $0.step) } ?? (0, allOutputs, 1)
    let matrices = origin.matrices ?? 0..<all
    let name = origin.names[row / count / matrices.count]
    let matrix = matrices.lowerBound + row / count % matrices.count
    let output = first + row % count * step
    let places = (origin.inputs ?? 0..<allInputs).map { input in
      origin.order == .inputMajor
        ? (matrix * rows + input) * columns + output : (matrix * rows + output) * columns + input
    }
    return (name, places)
  }

  /// Elements at any places; those side by side are read at once.
  private func elements(_ places: [Int], of tensor: Checkpoint.Tensor) throws -> [Double] {
    var values: [Double] = []
    var first = 0
    for index in places.indices
    where index + 1 == places.count || places[index + 1] != places[index] + 1 {
      values += try elements(places[first]..<places[index] + 1, of: tensor)
      first = index + 1
    }
    return values
  }

  /// Elements of a weight `[experts, in, out]` that is stored in MXFP4 blocks, `[experts, out, in / 32]`.
  private func blockElements(
    _ places: [Int], of name: String, shape: [UInt64]
  ) throws -> [Double]? {
    guard let blocks = tensors[name + "_blocks"], let scales = tensors[name + "_scales"],
      shape.count == 3
    else { return nil }
    let (inputs, outputs) = (Int(clamping: shape[1]), Int(clamping: shape[2]))
    return try places.map { place in
      let (expert, input) = (place / outputs / inputs, place / outputs % inputs)
      let weight = (expert * outputs + place % outputs) * inputs + input
      var byte: [UInt8] = [0]
      try checkpoint.read(weight / 2..<weight / 2 + 1, of: blocks, into: &byte)
      let code = weight % 2 == 0 ? byte[0] % 16 : byte[0] / 16
      try checkpoint.read(weight / 32..<weight / 32 + 1, of: scales, into: &byte)
      if byte[0] == 255 { return .nan }
      let magnitude = [0, 0.5, 1, 1.5, 2, 3, 4, 6][Int(code % 8)]
      return Self.single.rounded(
        (code < 8 ? magnitude : -magnitude) * pow(2, Double(byte[0]) - 127))
    }
  }

  /// A row with what the manifest says was done to it.
  static func changed(
    _ values: [Double], _ changes: [WeightChange], row: Int, of entry: Manifest.Entry
  ) -> [Double] {
    changes.reduce(values) { changed($0, $1, row: row, of: entry) }
  }

  private static func changed(
    _ values: [Double], _ change: WeightChange, row: Int, of entry: Manifest.Entry
  ) -> [Double] {
    switch change {
    case .multiply(let factor): return values.map { single.rounded($0 * factor) }
    case .add(let value): return values.map { single.rounded($0 + value) }
    case .multiplyRows(let runs):
      var left = row % Int(clamping: entry.sourceShape[entry.sourceShape.count - 2])
      for run in runs {
        if left < run.count { return values.map { single.rounded($0 * run.factor) } }
        left -= run.count
      }
      return values
    case .normalizeRows(let epsilon):
      let length = values.reduce(0) { $0 + $1 * $1 }.squareRoot() + epsilon
      return values.map { single.rounded($0 / length) }
    case .negativeExponential: return values.map { single.rounded(-exp($0)) }
    }
  }

  /// The scales of the elements at `places` of an 8-bit weight, which are numbered as they lie. One
  /// for each row or column of a matrix is one for each of its outputs.
  private func scaleFactors(
    _ places: [Int], of weight: Checkpoint.Tensor, isInputMajor: Bool
  ) throws -> [Double]? {
    guard let scale = tensors[weight.name + "_scale_inv"] ?? tensors[weight.name + "_scale"]
    else { return nil }
    let values = try elements(0..<scale.info.elementCount, of: scale)
    if values.count == 1 { return places.map { _ in values[0] } }
    let shape = weight.info.dimensions
    let (rows, columns) = (shape[shape.count - 2], shape[shape.count - 1])
    let matrices = shape.dropLast(2).reduce(1, *)
    var own = scale.info.dimensions
    if shape.count > 2 {
      guard own.first == matrices else { return nil }
      own.removeFirst()
    }
    let perMatrix = values.count / matrices
    // Matrix, row and column of a place give the scale's index.
    let index: (Int, Int, Int) -> Int
    if perMatrix == 1 {
      index = { matrix, _, _ in matrix }
    } else if isInputMajor
      ? own == [columns] || own == [1, columns] : own == [rows] || own == [rows, 1]
    {
      index = { $0 * perMatrix + (isInputMajor ? $2 : $1) }
    } else {
      let block = checkpoint.config?.weightBlockSize ?? [128, 128]
      guard block.count == 2, own.count == 2 else { return nil }
      index = { $0 * perMatrix + $1 / block[0] * own[1] + $2 / block[1] }
    }
    return places.map { place in
      values[index(place / columns / rows, place / columns % rows, place % columns)]
    }
  }

  private func elements(_ range: Range<Int>, of tensor: Checkpoint.Tensor) throws -> [Double] {
    guard let format = Self.format(tensor.info.dtype) else { return [] }
    let size = format.bitCount / 8
    var bytes = [UInt8](repeating: 0, count: range.count * size)
    try checkpoint.read(
      range.lowerBound * size..<range.upperBound * size, of: tensor, into: &bytes)
    return (0..<range.count).map { index in
      var code: UInt64 = 0
      for byte in (0..<size).reversed() { code = code * 256 + UInt64(bytes[index * size + byte]) }
      return format.value(code)
    }
  }
}
