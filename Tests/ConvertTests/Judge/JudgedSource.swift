import Formats
import Testing

/// A small checkpoint, and how the judge reads its weights.
struct JudgedSource: Sendable, CustomTestStringConvertible {
  /// A matrix or a stack of them that decant packs.
  struct Weight: Sendable {
    let tensor: TestTensor
    /// Stored as `[in, out]`.
    let isInputMajor: Bool
    var scale: Scale?

    struct Scale: Sendable {
      let tensor: TestTensor
      let blockRows: Int
      let blockColumns: Int
    }

    /// The values that are packed, groups along the last dimension.
    func values(in file: NaiveFile) throws -> NaiveMatrix {
      let stored = file.tensors[tensor.name]!
      var matrix = NaiveMatrix(stored.shape, stored.values)
      if let scale {
        matrix = matrix.scaled(
          by: file.tensors[scale.tensor.name]!.values, blockRows: scale.blockRows,
          blockColumns: scale.blockColumns)
      }
      return isInputMajor ? matrix.narrowed.transposed : matrix.narrowed
    }

    /// The type of scales and biases where none is asked for.
    var scaleType: NaiveFloat {
      switch tensor.type {
      case "F64": .f32
      case "F16", "BF16", "F32": .named(tensor.type)
      default: .bf16
      }
    }
  }

  let testDescription: String
  let config: String
  let weights: [Weight]

  /// Writes the checkpoint into a new folder of this name.
  func write(_ name: String, in folder: TemporaryFolder) throws -> String {
    try folder.makeFolder(name)
    let tensors = weights.flatMap { [$0.tensor, $0.scale?.tensor].compactMap(\.self) }
    let norm = TestTensor("model.norm.weight", "F32", [3], bytes: NaiveFloat.f32.encode([1, 2, 3]))
    try writeSafetensors(tensors + [norm], to: folder.path(name + "/model.safetensors"))
    try folder.write(config, to: name + "/config.json")
    return folder.path(name)
  }

  static let all = [floats, scaled, inputMajor, stacks, inputMajorStacks]

  private static let floatTypes = [NaiveFloat.f16, .bf16, .f32, .f64]

  /// One layer for each type.
  static let floats = JudgedSource(
    testDescription: "plain floats", config: #"{"model_type": "llama"}"#,
    weights: floatTypes.enumerated().map { layer, type in
      matrix("model.layers.\(layer).mlp.up_proj.weight", type, [4, 128])
    })

  /// FP8 with one scale for the tensor, for each row, and for blocks of which the last is cut off.
  static let scaled = JudgedSource(
    testDescription: "scaled FP8",
    config: #"{"model_type": "llama", "torch_dtype": "bfloat16", "quantization_config":"#
      + #" {"quant_method": "fp8", "weight_block_size": [2, 48]}}"#,
    weights: NaiveFloat.f8.enumerated().flatMap { layer, type in
      let prefix = "model.layers.\(layer).self_attn."
      return [
        eightBit(prefix + "q_proj.weight", type, [3, 128], "_scale", [], block: (3, 128)),
        eightBit(prefix + "k_proj.weight", type, [3, 128], "_scale", [3, 1], block: (1, 128)),
        eightBit(prefix + "v_proj.weight", type, [3, 128], "_scale_inv", [2, 3], block: (2, 48)),
      ]
    })

  /// GPT-2 stores `[in, out]`.
  static let inputMajor = JudgedSource(
    testDescription: "input-major", config: #"{"model_type": "gpt2"}"#,
    weights: floatTypes.enumerated().map { layer, type in
      matrix("h.\(layer).mlp.c_fc.weight", type, [128, 5], isInputMajor: true)
    })

  static let stacks = JudgedSource(
    testDescription: "expert stacks", config: #"{"model_type": "llama"}"#,
    weights: floatTypes.enumerated().map { layer, type in
      matrix("model.layers.\(layer).mlp.experts.up_proj", type, [2, 3, 128])
    })

  static let inputMajorStacks = JudgedSource(
    testDescription: "input-major expert stacks", config: #"{"model_type": "gpt_oss"}"#,
    weights: floatTypes.enumerated().map { layer, type in
      matrix("model.layers.\(layer).mlp.experts.down_proj", type, [2, 128, 3], isInputMajor: true)
    })

  /// Rows unlike each other: noise with an outlier, one sign, a constant, zeros.
  private static func matrix(
    _ name: String, _ type: NaiveFloat, _ shape: [Int], isInputMajor: Bool = false
  ) -> Weight {
    var noise = Noise(seed: name.utf8.reduce(0) { $0 &* 31 &+ UInt64($1) })
    let inputs = isInputMajor ? shape[shape.count - 2] : shape[shape.count - 1]
    let outputs = shape.reduce(1, *) / inputs
    let rows = (0..<outputs).map { row in
      let outlier = Int.random(in: 0..<inputs, using: &noise)
      return (0..<inputs).map { input in
        let value = noise.bell() * 0.05
        switch row % 5 {
        case 0: return input == outlier ? 0.9 : value
        case 1: return value.magnitude + 0.01
        case 2: return input < inputs / 2 ? -0.0625 : value
        case 3: return input < inputs / 2 ? 0 : -value.magnitude
        default: return value
        }
      }
    }
    var values = NaiveMatrix(
      isInputMajor ? Array(shape.dropLast(2)) + [shape[shape.count - 1], inputs] : shape,
      rows.flatMap(\.self))
    if isInputMajor { values = values.transposed }
    return Weight(
      tensor: TestTensor(name, type.name, shape, bytes: type.encode(values.values)),
      isInputMajor: isInputMajor)
  }

  /// Random codes that are numbers, with scales beside them.
  private static func eightBit(
    _ name: String, _ type: NaiveFloat, _ shape: [Int], _ suffix: String, _ scaleShape: [Int],
    block: (rows: Int, columns: Int)
  ) -> Weight {
    var noise = Noise(seed: UInt64(name.utf8.count + type.name.utf8.count))
    let codes = (0..<shape.reduce(1, *)).map { _ in
      UInt8.random(in: 1..<0x78, using: &noise) | (Bool.random(using: &noise) ? 0x80 : 0)
    }
    let scales = (0..<scaleShape.reduce(1, *)).map { _ in noise.bell() * 0.001 }
    return Weight(
      tensor: TestTensor(name, type.name, shape, bytes: codes), isInputMajor: false,
      scale: .init(
        tensor: TestTensor(name + suffix, "F32", scaleShape, bytes: NaiveFloat.f32.encode(scales)),
        blockRows: block.rows, blockColumns: block.columns))
  }
}
