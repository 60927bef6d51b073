import Formats

/// Which type each tensor of a GGUF file has: one for all matrices, or a mix.
///
/// Sources: ggml-org/llama.cpp, `include/llama.h` (`enum llama_ftype`) and `src/llama-quant.cpp`.
package struct GGUFTypes: Sendable {
  /// As llama.cpp's users know it: `Q4_K_M`.
  package let name: String
  /// Of matrices that no rule of a mix is for.
  package let base: GGMLType
  /// `general.file_type`: llama.cpp's number for such files.
  package let fileType: UInt32
  private let mix: GGUFMix?

  /// One type for all matrices.
  private init(_ base: GGMLType, _ fileType: UInt32) {
    (name, self.base, self.fileType, mix) = (base.name, base, fileType, nil)
  }

  private init(_ name: String, _ base: GGMLType, _ fileType: UInt32, _ mix: GGUFMix) {
    (self.name, self.base, self.fileType, self.mix) = (name, base, fileType, mix)
  }

  /// Nil for a name that there is not.
  package init?(_ name: String) {
    guard let found = Self.all.first(where: { $0.name == name }) else { return nil }
    self = found
  }

  /// Whether weights are quantized to blocks.
  package var areBlocks: Bool { base.blockLength > 1 }

  /// The type that rows of so many inputs are to have, whether they are whole blocks of it or not.
  ///
  /// - Parameter tensor: its name in the file.
  package func type(
    of tensor: String, inputs: Int, in model: GGUFProportions
  ) -> GGMLType {
    mix?.type(of: tensor, inputs: inputs, base: base, in: model) ?? base
  }

  /// From the largest to the smallest.
  package static let all: [GGUFTypes] = [
    .init(.f32, 0), .init(.f16, 1), .init(.bf16, 32), .init(.q8_0, 7),
    .init("Q6_K", .q6_K, 18, GGUFMix()),
    .init(.q5_1, 9), .init(.q5_0, 8),
    .init(
      "Q5_K_M", .q5_K, 17,
      GGUFMix(
        values: [.init(layers: .spread, type: .q6_K)], down: [.init(layers: .spread, type: .q6_K)],
        falconDown: [.init(layers: .spread, type: .q6_K)])),
    .init("Q5_K_S", .q5_K, 16, GGUFMix()),
    .init(.q5_K, 16),
    .init(.q4_1, 3), .init(.q4_0, 2),
    .init(
      "Q4_K_M", .q4_K, 15,
      GGUFMix(
        values: [.init(layers: .spread, type: .q6_K)], down: [.init(layers: .spread, type: .q6_K)],
        falconDown: [
          .init(layers: .firstOf(16), type: .q6_K), .init(layers: .spread, type: .q5_K),
        ],
        attentionOutputOfEight: .q5_K)),
    .init(
      "Q4_K_S", .q4_K, 14,
      GGUFMix(
        values: [.init(layers: .first(4), type: .q5_K)],
        down: [.init(layers: .firstOf(8), type: .q5_K)], attentionOutputOfEight: .q5_K)),
    .init(.q4_K, 14),
    .init(
      "Q3_K_L", .q3_K, 13,
      GGUFMix(
        values: [.init(layers: .all, type: .q5_K)], down: [.init(layers: .all, type: .q5_K)],
        falconDown: [.init(layers: .all, type: .q4_K)], attentionOutput: .q5_K,
        falconAttentionOutput: .q4_K)),
    .init(
      "Q3_K_M", .q3_K, 12,
      GGUFMix(
        values: [.init(layers: .first(2), type: .q5_K), .init(layers: .all, type: .q4_K)],
        down: [.init(layers: .firstOf(16), type: .q5_K), .init(layers: .all, type: .q4_K)],
        falconDown: [
          .init(layers: .firstOf(16), type: .q5_K), .init(layers: .spread, type: .q4_K),
        ],
        attentionOutput: .q4_K, attentionOutputOfEight: .q5_K)),
    .init("Q3_K_S", .q3_K, 11, GGUFMix(attentionOutputOfEight: .q5_K)),
    .init(.q3_K, 11),
    .init(
      "Q2_K", .q2_K, 10,
      GGUFMix(
        values: [
          .init(layers: .ofSharedHeads, type: .q4_K), .init(layers: .all, type: .q3_K),
        ],
        down: [.init(layers: .all, type: .q3_K)], falconDown: [.init(layers: .all, type: .q3_K)],
        attentionOutput: .q3_K, attentionOutputOfEight: .q5_K)),
  ]
}
