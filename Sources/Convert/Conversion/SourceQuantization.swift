import Formats
import Model

/// Which ways of having quantized a checkpoint are read as its weights.
///
/// Sources: huggingface/transformers, `quantizers/quantizer_finegrained_fp8.py`, `quantizer_fbgemm_fp8.py`;
/// vllm-project/compressed-tensors, `config/base.py`, `quantization/quant_config.py`.
enum SourceQuantization {
  /// The method that `config` names where it is not read; nil where it names none, or one that is.
  static func unreadMethod(_ config: ModelConfig?) -> String? {
    let block = QuantizationBlock(config)
    for entry in [block.whole].compactMap(\.self) + block.modules.map(\.value) {
      if let mode = entry["mode"]?.stringValue, mode != "affine" { return "MLX, mode '\(mode)'" }
    }
    guard let quantization = config?.quantizationConfig,
      let method = quantization["quant_method"]?.stringValue
    else { return nil }
    switch method {
    case "fp8", "fbgemm_fp8": return nil
    case "compressed-tensors":
      return objection(quantization).map { "\(method), \($0)" }
    default: return method
    }
  }

  /// What of a compressed-tensors configuration is more than 8-bit floats with scales.
  private static func objection(_ quantization: JSONValue) -> String? {
    let format = quantization["format"]?.stringValue ?? "no format"
    guard format == "float-quantized" else { return format }
    for group in quantization["config_groups"]?.members ?? [] {
      guard let weights = group.value["weights"], weights.members != nil else { continue }
      guard weights["type"]?.stringValue ?? "float" == "float",
        weights["num_bits"]?.intValue ?? 8 == 8
      else { return "group '\(group.name)' without 8-bit floats" }
      guard weights["symmetric"]?.boolValue ?? true else {
        return "group '\(group.name)' with zero points"
      }
    }
    if let sparsity = quantization["sparsity_config"]?["format"]?.stringValue, sparsity != "dense" {
      return "sparsity \(sparsity)"
    }
    // Rotated weights are another model without the rotation of their inputs.
    if !(quantization["transform_config"]?["config_groups"]?.members ?? []).isEmpty {
      return "transforms"
    }
    return nil
  }
}
