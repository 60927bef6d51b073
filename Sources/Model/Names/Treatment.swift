import Formats

/// What becomes of a tensor. Reasons are sentence fragments for people.
package enum Treatment: Sendable, Equatable {
  case quantize(QuantizedKind)
  /// Copied in its floating type, as is best for it.
  case keep(reason: String)
  /// Copied in its floating type, because nothing says how it would be quantized.
  case unfit(reason: String)
  /// Left out, because every runtime computes it anew.
  case drop(reason: String)
}

extension Treatment {
  /// Decides from the role and from what the header says; whether the group size divides the
  /// inputs is not asked here.
  ///
  /// - Parameter isWeight: whether the name ends in `.weight`, as it does for every module that
  ///   quantizing runtimes know how to replace.
  init(role: TensorRole, dtype: DType, shape: [Int], isWeight: Bool) {
    self =
      if let reason = role.dropReason {
        .drop(reason: reason)
      } else if let reason = role.keepReason {
        .keep(reason: reason)
      } else if let reason = Self.objection(to: dtype, isWeight: isWeight || role.isStackable) {
        .keep(reason: reason)
      } else if shape.count < 2 {
        .keep(reason: "1-D")
      } else if shape.count == 3, role.isStackable, shape[0] > 0, shape[1] > 1, shape[2] > 1 {
        .quantize(.expertStack)
      } else if shape.contains(where: { $0 <= 1 }) {
        .keep(reason: "a single row or column")
      } else if shape.count > 2 {
        .unfit(reason: "neither a matrix nor known to be a stack of them")
      } else if isWeight || role.isExpert {
        .quantize(role == .tokenEmbedding ? .embedding : .linear)
      } else if role == .other {
        .unfit(reason: "a matrix, but not the weight of a linear layer by its name")
      } else {
        .keep(reason: "a parameter of its own, which runtimes read only as it is")
      }
  }

  /// Why elements of `dtype` cannot be quantized; nil where they can.
  private static func objection(to dtype: DType, isWeight: Bool) -> String? {
    switch dtype {
    case .f16, .bf16, .f32, .f64, .f8E4M3, .f8E5M2, .f8E4M3FNUZ, .f8E5M2FNUZ: nil
    case .f4, .f6E2M3, .f6E3M2, .f8E8M0: "already quantized"
    case .bool, .c64: "not real numbers"
    case .u8, .i8, .u16, .i16, .u32, .i32, .u64, .i64:
      isWeight ? "already quantized" : "integers"
    }
  }
}
