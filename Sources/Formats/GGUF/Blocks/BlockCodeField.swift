/// Where blocks of a GGUF type keep some bits of their codes: see `Kernels.unpackBlockField`.
struct BlockCodeField {
  /// Byte of a block at which the field begins.
  let offset: Int
  /// Bytes of a chunk: weights next to one another are in bytes next to one another for so long.
  let chunk: Int
  /// Of a code in this field.
  let bits: Int
  /// Place of these bits in a code.
  var shift = 0
  /// What stored bytes are combined with by exclusive or: 0x80 turns signed numbers into codes from 0 on.
  var flip: UInt8 = 0
}
