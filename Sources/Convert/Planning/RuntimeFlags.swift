import Formats

/// The flags of a runtime for a choice of widths.
package struct RuntimeFlags: Sendable, Equatable {
  /// As separate arguments; none where the runtime does so anyway; nil where it cannot.
  package let arguments: [String]?
  /// Why there are none, or what to mind; nil where nothing is.
  package let remark: String?

  private init(_ arguments: [String]?, _ remark: String? = nil) {
    self.arguments = arguments
    self.remark = remark
  }
}

// The cache.
extension RuntimeFlags {
  /// - Parameters:
  ///   - keyBits, valueBits: nil for 16.
  ///   - groupSize: channels of a token and head that share a scale.
  ///   - hasWindows: whether some layers have a sliding window.
  package static func cache(
    _ runtime: Runtime, keyBits: Int?, valueBits: Int?, groupSize: Int, hasWindows: Bool
  ) -> RuntimeFlags {
    if keyBits == nil, valueBits == nil { return RuntimeFlags([]) }
    return switch runtime {
    case .mlxLM: mlxCache(keyBits, valueBits, groupSize: groupSize, hasWindows: hasWindows)
    case .llamaCpp: llamaCache(keyBits, valueBits)
    case .vLLM: vllmCache(keyBits, valueBits)
    }
  }

  /// Source: ml-explore/mlx-lm, `mlx_lm/generate.py` (options) and `mlx_lm/models/cache.py`
  /// (`QuantizedKVCache`; `RotatingKVCache.to_quantized`, which raises `NotImplementedError`).
  private static func mlxCache(
    _ keyBits: Int?, _ valueBits: Int?, groupSize: Int, hasWindows: Bool
  ) -> RuntimeFlags {
    guard let keyBits, keyBits == valueBits else {
      return RuntimeFlags(nil, "mlx-lm has one width for keys and values")
    }
    // 5 bits are left out: older versions of MLX lack them.
    guard [2, 3, 4, 6, 8].contains(keyBits) else {
      return RuntimeFlags(nil, "mlx-lm stores the cache at 2, 3, 4, 6 or 8 bits")
    }
    guard AffineLayout.allowedGroupSizes.contains(groupSize) else {
      return RuntimeFlags(nil, "mlx-lm has groups of 32, 64 or 128")
    }
    if hasWindows {
      return RuntimeFlags(nil, "mlx-lm does not quantize the cache of sliding-window layers")
    }
    return RuntimeFlags(
      ["--kv-bits", String(keyBits), "--kv-group-size", String(groupSize)],
      "of mlx_lm.generate; the size of a head has to be a multiple of the group")
  }

  /// Source: ggml-org/llama.cpp, `common/arg.cpp` (the types) and `src/llama-context.cpp` (a
  /// quantized V needs flash attention).
  private static func llamaCache(_ keyBits: Int?, _ valueBits: Int?) -> RuntimeFlags {
    guard let key = llamaType(keyBits), let value = llamaType(valueBits) else {
      return RuntimeFlags(nil, "llama.cpp stores the cache at 4, 5 or 8 bits")
    }
    let types = ["--cache-type-k", key, "--cache-type-v", value]
    let remark = "groups are always 32, with a 16-bit scale each"
    guard valueBits != nil else { return RuntimeFlags(types, remark) }
    return RuntimeFlags(types + ["--flash-attn", "on"], remark)
  }

  /// Of the types that llama.cpp has for a width (q5_1 and q5_0; q4_1, q4_0 and iq4_nl), the
  /// smallest that has been there longest.
  private static func llamaType(_ bits: Int?) -> String? {
    switch bits {
    case nil: "f16"
    case 8: "q8_0"
    case 5: "q5_0"
    case 4: "q4_0"
    default: nil
    }
  }

  /// Source: vLLM's documentation, "Quantized KV Cache".
  private static func vllmCache(_ keyBits: Int?, _ valueBits: Int?) -> RuntimeFlags {
    guard keyBits == 8, valueBits == 8 else {
      return RuntimeFlags(nil, "vLLM stores keys and values both as 8-bit floats, or neither")
    }
    return RuntimeFlags(
      ["--kv-cache-dtype", "fp8"], "8-bit floats with one scale for a tensor, not groups")
  }
}

// Activations.
extension RuntimeFlags {
  /// - Parameter bits: nil for 16.
  package static func activations(_ runtime: Runtime, bits: Int?) -> RuntimeFlags {
    guard let bits else { return RuntimeFlags([]) }
    return switch (runtime, bits) {
    case (.mlxLM, _): RuntimeFlags(nil, "mlx-lm computes with 16-bit activations")
    // Source: ggml-org/llama.cpp, `ggml/src/ggml-cpu/ggml-cpu.c` (`vec_dot_type`). That GPU kernels
    // do likewise for all types is **unverified**.
    case (.llamaCpp, 8):
      RuntimeFlags([], "llama.cpp rounds activations to 8 bits wherever weights are quantized")
    case (.llamaCpp, _): RuntimeFlags(nil, "llama.cpp rounds activations to 8 bits or not at all")
    // Source: vLLM's documentation, "FP8 W8A8", online dynamic quantization.
    case (.vLLM, 8):
      RuntimeFlags(
        ["--quantization", "fp8"],
        "from 16-bit weights, which become 8-bit floats too; other widths of weights need a"
          + " checkpoint made for them")
    case (.vLLM, _): RuntimeFlags(nil, "vLLM has no flag for activations but that of 8-bit floats")
    }
  }
}
