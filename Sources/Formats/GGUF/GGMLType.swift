// The cases keep the underscores of ggml's names, which tell Q4_1 from a type of 41 bits.
// swift-format-ignore: AlwaysUseLowerCamelCase
/// Element types of a GGUF file, by their numbers in the tensor infos.
///
/// Rows are cut into blocks of `blockLength` values, each stored in `blockByteCount` bytes. Q8_1 and
/// Q8_K have numbers too, but only exist while a runtime multiplies, and are in no file.
///
/// Source: ggml, `ggml.h` (`enum ggml_type`) and `ggml-common.h`; gguf-py, `GGML_QUANT_SIZES`.
package enum GGMLType: Int32, Sendable, CaseIterable {
  case f32 = 0
  case f16 = 1
  case q4_0 = 2
  case q4_1 = 3
  case q5_0 = 6
  case q5_1 = 7
  case q8_0 = 8
  case q2_K = 10
  case q3_K = 11
  case q4_K = 12
  case q5_K = 13
  case q6_K = 14
  case iq2_XXS = 16
  case iq2_XS = 17
  case iq3_XXS = 18
  case iq1_S = 19
  case iq4_NL = 20
  case iq3_S = 21
  case iq2_S = 22
  case iq4_XS = 23
  case i8 = 24
  case i16 = 25
  case i32 = 26
  case i64 = 27
  case f64 = 28
  case iq1_M = 29
  case bf16 = 30
  case tq1_0 = 34
  case tq2_0 = 35
  case mxfp4 = 39
  case nvfp4 = 40

  /// The name that ggml prints, in capitals: `Q4_K`.
  package var name: String { "\(self)".uppercased() }

  /// That of elements which a safetensors file may have too; nil for a type that ggml has no number for.
  package init?(_ dtype: DType) {
    switch dtype {
    case .f32: self = .f32
    case .f16: self = .f16
    case .bf16: self = .bf16
    default: return nil
    }
  }

  /// Values in a block; 1 where values stand alone.
  package var blockLength: Int {
    switch self {
    case .f32, .f16, .bf16, .f64, .i8, .i16, .i32, .i64: 1
    case .q4_0, .q4_1, .q5_0, .q5_1, .q8_0, .iq4_NL, .mxfp4: 32
    case .nvfp4: 64
    case .q2_K, .q3_K, .q4_K, .q5_K, .q6_K, .iq2_XXS, .iq2_XS, .iq3_XXS, .iq1_S, .iq3_S, .iq2_S,
      .iq4_XS, .iq1_M, .tq1_0, .tq2_0:
      256
    }
  }

  package var blockByteCount: Int {
    switch self {
    case .i8: 1
    case .f16, .bf16, .i16: 2
    case .f32, .i32: 4
    case .f64, .i64: 8
    case .mxfp4: 17
    case .q4_0, .iq4_NL: 18
    case .q4_1: 20
    case .q5_0: 22
    case .q5_1: 24
    case .q8_0: 34
    case .nvfp4: 36
    case .iq1_S: 50
    case .tq1_0: 54
    case .iq1_M: 56
    case .iq2_XXS, .tq2_0: 66
    case .iq2_XS: 74
    case .iq2_S: 82
    case .q2_K: 84
    case .iq3_XXS: 98
    case .q3_K, .iq3_S: 110
    case .iq4_XS: 136
    case .q4_K: 144
    case .q5_K: 176
    case .q6_K: 210
    }
  }
}
