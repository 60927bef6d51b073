import Formats
import Model

extension ScaleType {
  /// The type of the scales of weights, where nobody asks for another: the weights' own; for FP8 and F64 the
  /// one that the configuration declares, else BF16 and F32.
  init(ofWeights dtype: DType, in checkpoint: Checkpoint) {
    let declared = { checkpoint.config?.declaredDType.flatMap(ScaleType.init) }
    self = ScaleType(dtype) ?? declared() ?? (dtype.isFloat8 ? .bf16 : .f32)
  }
}
