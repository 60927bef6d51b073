import Foundation

/// Writes checkpoints that have the headers of a large model and no data: files are cut to their
/// size, so that they take no space and read as zeros. What a program needs for headers shows in
/// the time that it takes for them.
///
/// Shapes and names are those of DeepSeek-V3: three dense layers, then 58 with 256 experts each, and
/// one more that predicts a further token; 8-bit floats with one scale for each 128 x 128 block.
struct SparseCheckpoint {
  private struct Tensor {
    let name: String
    let dtype: String
    let shape: [Int]

    var byteCount: Int { shape.reduce(dtype == "F32" ? 4 : dtype == "BF16" ? 2 : 1, *) }
  }

  private let hidden = 7168
  private let expertWidth = 2048

  /// `FOLDER/shards` with 163 files and an index, and `FOLDER/single` with the experts in one file.
  static func write(into folder: String) throws {
    let model = SparseCheckpoint()
    let all = model.outside + (0...61).flatMap(model.layer)
    try model.write(all, shardCount: 163, to: folder + "/shards")
    try model.write((3...60).flatMap(model.experts), shardCount: 1, to: folder + "/single")
  }

  private var outside: [Tensor] {
    [
      Tensor(name: "model.embed_tokens.weight", dtype: "BF16", shape: [129_280, hidden]),
      Tensor(name: "model.norm.weight", dtype: "BF16", shape: [hidden]),
      Tensor(name: "lm_head.weight", dtype: "BF16", shape: [129_280, hidden]),
    ]
  }

  private func layer(_ index: Int) -> [Tensor] {
    let path = "model.layers.\(index)"
    var tensors = ["input_layernorm", "post_attention_layernorm"].map {
      Tensor(name: "\(path).\($0).weight", dtype: "BF16", shape: [hidden])
    }
    let attention = path + ".self_attn."
    tensors += [
      Tensor(name: attention + "q_a_layernorm.weight", dtype: "BF16", shape: [1536]),
      Tensor(name: attention + "kv_a_layernorm.weight", dtype: "BF16", shape: [512]),
    ]
    tensors += scaled(attention + "q_a_proj", 1536, hidden)
    tensors += scaled(attention + "q_b_proj", 24_576, 1536)
    tensors += scaled(attention + "kv_a_proj_with_mqa", 576, hidden)
    tensors += scaled(attention + "kv_b_proj", 32_768, 512)
    tensors += scaled(attention + "o_proj", hidden, 16_384)
    guard index >= 3 else { return tensors + network(path + ".mlp", width: 18_432) }
    tensors += [
      Tensor(name: path + ".mlp.gate.weight", dtype: "BF16", shape: [256, hidden]),
      Tensor(name: path + ".mlp.gate.e_score_correction_bias", dtype: "F32", shape: [256]),
    ]
    return tensors + network(path + ".mlp.shared_experts", width: expertWidth) + experts(index)
  }

  private func experts(_ layer: Int) -> [Tensor] {
    (0..<256).flatMap { network("model.layers.\(layer).mlp.experts.\($0)", width: expertWidth) }
  }

  private func network(_ path: String, width: Int) -> [Tensor] {
    scaled(path + ".gate_proj", width, hidden) + scaled(path + ".up_proj", width, hidden)
      + scaled(path + ".down_proj", hidden, width)
  }

  private func scaled(_ module: String, _ outputs: Int, _ inputs: Int) -> [Tensor] {
    [
      Tensor(name: module + ".weight", dtype: "F8_E4M3", shape: [outputs, inputs]),
      Tensor(
        name: module + ".weight_scale_inv", dtype: "F32",
        shape: [(outputs + 127) / 128, (inputs + 127) / 128]),
    ]
  }

  private func write(_ tensors: [Tensor], shardCount: Int, to folder: String) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try save(config, as: folder + "/config.json")
    var places: [String] = []
    for shard in 0..<shardCount {
      let own = tensors[
        tensors.count * shard / shardCount..<tensors.count * (shard + 1) / shardCount]
      let name =
        shardCount == 1
        ? "model.safetensors"
        : String(format: "model-%05d-of-%06d.safetensors", shard + 1, shardCount)
      try write(own, to: folder + "/" + name)
      places += own.map { "\"\($0.name)\":\"\(name)\"" }
    }
    guard shardCount > 1 else { return }
    let index = "{\"metadata\":{},\"weight_map\":{" + places.joined(separator: ",") + "}}"
    try save(index, as: folder + "/model.safetensors.index.json")
  }

  private func write(_ tensors: ArraySlice<Tensor>, to path: String) throws {
    var end = 0
    let records = tensors.map { tensor in
      let begin = end
      end += tensor.byteCount
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      return "\"\(tensor.name)\":{\"dtype\":\"\(tensor.dtype)\",\"shape\":[\(shape)],"
        + "\"data_offsets\":[\(begin),\(end)]}"
    }
    let header = Array(("{" + records.joined(separator: ",") + "}").utf8)
    let length = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
    try Data(length + header).write(to: URL(filePath: path))
    let file = try FileHandle(forWritingTo: URL(filePath: path))
    try file.truncate(atOffset: UInt64(8 + header.count + end))
    try file.close()
  }

  private func save(_ text: String, as path: String) throws {
    try Data(text.utf8).write(to: URL(filePath: path))
  }

  private let config = """
    {"architectures": ["DeepseekV3ForCausalLM"], "model_type": "deepseek_v3",
     "hidden_size": 7168, "intermediate_size": 18432, "moe_intermediate_size": 2048,
     "num_hidden_layers": 61, "num_attention_heads": 128, "num_key_value_heads": 128,
     "n_routed_experts": 256, "num_experts_per_tok": 8, "n_shared_experts": 1,
     "q_lora_rank": 1536, "kv_lora_rank": 512, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64,
     "v_head_dim": 128, "num_nextn_predict_layers": 1, "vocab_size": 129280,
     "max_position_embeddings": 163840, "tie_word_embeddings": false, "torch_dtype": "bfloat16",
     "quantization_config": {"quant_method": "fp8", "fmt": "e4m3", "weight_block_size": [128, 128]}}
    """
}
