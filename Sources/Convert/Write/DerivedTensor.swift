import Formats

/// A small F32 vector that is worked out, not read.
struct DerivedTensor: TensorProducer {
  let name: String
  let values: [Float]

  var parts: [SafetensorsLayout.Request] {
    [.init(name: name, dtype: .f32, shape: [UInt64(values.count)])]
  }
  var reads: [ReadPart] { [] }
  func tiles() -> [Range<Int>] { Tiling.ranges(values.count, step: Tiling.weightCount) }

  func produce(_ tile: Range<Int>, in slot: ProducerSlot) {
    let size = ScaleType.f32.byteCount
    slot.preparePieces([(tile.lowerBound * size, tile.count * size)])
    ElementEncoder.encode(
      Array(values[tile]), count: tile.count, as: .f32, into: &slot.pieces[0].bytes)
  }
}
