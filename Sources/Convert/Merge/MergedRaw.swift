import Formats

/// A tensor that was kept, such as a layer's additive bias, with what an adapter trained in its
/// place or beside it.
struct MergedRaw: StoredContent {
  let file: SafetensorsFile
  let tensor: TensorInfo
  let type: ScaleType
  let update: TensorUpdate

  var dtype: DType { type.dtype }
  var unitCount: Int { tensor.elementCount }
  var bytesPerUnit: Int { type.byteCount }
  var tileUnits: Int { 1 << 18 }
  var expected: (checksum: UInt64, file: String)? { nil }

  func produce(_ range: Range<Int>, in slot: RewriteSlot) throws {
    slot.source.grow(to: range.count * type.byteCount, filler: 0)
    slot.values.grow(to: range.count, filler: 0)
    try file.read(
      range.lowerBound * type.byteCount..<range.upperBound * type.byteCount, of: tensor,
      into: &slot.source)
    let decodes = ElementDecoder.decode(
      slot.source, count: range.count, as: tensor.dtype, into: &slot.values)
    precondition(decodes, "checked when the merge was planned")
    try update.replaceAndAdd(range, into: &slot.values, scratch: &slot.scales)
    for index in 0..<range.count where !type.round(slot.values[index]).isFinite {
      throw MergeError.overflow(
        tensor: tensor.name, index: range.lowerBound + index, type: type)
    }
    slot.output.grow(to: range.count * type.byteCount, filler: 0)
    ElementEncoder.encode(slot.values, count: range.count, as: type, into: &slot.output)
  }
}

extension TensorUpdate {
  /// Puts elements `range` of the replacement into `values`, and adds what is to be added.
  func replaceAndAdd(
    _ range: Range<Int>, into values: inout [Float], scratch: inout [Float]
  ) throws {
    if let replacement {
      try replacement.adapter.read(range, of: replacement.tensor, into: &values)
    }
    for (addition, factor) in additions {
      scratch.grow(to: range.count, filler: 0)
      try addition.adapter.read(range, of: addition.tensor, into: &scratch)
      for index in 0..<range.count {
        values[index] = Float(Double(values[index]) + factor * Double(scratch[index]))
      }
    }
  }
}
