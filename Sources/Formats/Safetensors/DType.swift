/// Element types of the safetensors format, by their names in the header.
///
/// The order of the cases is the reference library's alignment order, low to high: its writer puts
/// tensors of a later case first. Source: huggingface/safetensors, `tensor.rs`, `enum Dtype`.
package enum DType: String, Sendable, CaseIterable, Comparable {
  case bool = "BOOL"
  case f4 = "F4"
  case f6E2M3 = "F6_E2M3"
  case f6E3M2 = "F6_E3M2"
  case u8 = "U8"
  case i8 = "I8"
  case f8E5M2 = "F8_E5M2"
  case f8E4M3 = "F8_E4M3"
  case f8E8M0 = "F8_E8M0"
  case f8E4M3FNUZ = "F8_E4M3FNUZ"
  case f8E5M2FNUZ = "F8_E5M2FNUZ"
  case i16 = "I16"
  case u16 = "U16"
  case f16 = "F16"
  case bf16 = "BF16"
  case i32 = "I32"
  case u32 = "U32"
  case f32 = "F32"
  case c64 = "C64"
  case f64 = "F64"
  case i64 = "I64"
  case u64 = "U64"

  /// Size of one element in bits; below 8 only for F4 and F6.
  package var bitCount: Int {
    switch self {
    case .f4: 4
    case .f6E2M3, .f6E3M2: 6
    case .bool, .u8, .i8, .f8E5M2, .f8E4M3, .f8E8M0, .f8E4M3FNUZ, .f8E5M2FNUZ: 8
    case .i16, .u16, .f16, .bf16: 16
    case .i32, .u32, .f32: 32
    case .c64, .f64, .i64, .u64: 64
    }
  }

  /// Whether the elements are real numbers of a floating-point type (C64 is not).
  package var isFloat: Bool {
    switch self {
    case .f4, .f6E2M3, .f6E3M2, .f8E5M2, .f8E4M3, .f8E8M0, .f8E4M3FNUZ, .f8E5M2FNUZ, .f16, .bf16,
      .f32, .f64:
      true
    case .bool, .u8, .i8, .i16, .u16, .i32, .u32, .i64, .u64, .c64: false
    }
  }

  /// Whether this is one of the 8-bit types that weights are stored in beside a scale.
  package var isFloat8: Bool {
    switch self {
    case .f8E5M2, .f8E4M3, .f8E4M3FNUZ, .f8E5M2FNUZ: true
    default: false
    }
  }

  package static func < (a: DType, b: DType) -> Bool { a.alignmentRank < b.alignmentRank }

  /// Position in the alignment order, 0 for BOOL.
  private var alignmentRank: Int {
    switch self {
    case .bool: 0
    case .f4: 1
    case .f6E2M3: 2
    case .f6E3M2: 3
    case .u8: 4
    case .i8: 5
    case .f8E5M2: 6
    case .f8E4M3: 7
    case .f8E8M0: 8
    case .f8E4M3FNUZ: 9
    case .f8E5M2FNUZ: 10
    case .i16: 11
    case .u16: 12
    case .f16: 13
    case .bf16: 14
    case .i32: 15
    case .u32: 16
    case .f32: 17
    case .c64: 18
    case .f64: 19
    case .i64: 20
    case .u64: 21
    }
  }
}
