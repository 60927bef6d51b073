import Formats

/// A language model as a GGUF file has it for llama.cpp: its tensors and its keys.
package struct GGUFModel: Sendable {
  /// A tensor that is worked out from the configuration; F32.
  package struct Derived: Sendable, Equatable {
    package let name: String
    package let values: [Float]
  }

  /// `general.architecture`.
  package let architecture: String
  /// Every tensor of the source, each where the file has what it becomes, the dropped ones last.
  package let items: [ArrangedItem]
  package let derived: [Derived]
  /// Of the architecture, in the order in which they are written.
  package let keys: [(key: String, value: GGUFValue)]
  /// What llama.cpp computes otherwise in some texts: sentences for people.
  package let warnings: [String]
  package let vocabularySize: Int
  /// What types of tensors depend on.
  package let proportions: GGUFProportions

  /// - Parameters:
  ///   - tensors: all that the checkpoint holds.
  ///   - redundantHead: a head that equals the embedding.
  /// - Throws: `GGUFModelError` where llama.cpp has no such model, or cannot express it; where tensors are
  ///   missing, have other shapes than the description says, or have no place.
  package init(
    _ description: DecoderDescription, tensors: [ListedTensor], redundantHead: String?
  ) throws(GGUFModelError) {
    let architecture = try GGUFArchitecture.row(of: description.modelType)
    let limits = GGUFLimits(architecture, description)
    try limits.check()
    var arranger = GGUFArranger(
      architecture, description, tensors: tensors, redundantHead: redundantHead)
    try arranger.arrange()
    var keys = GGUFKeys(architecture, description)
    try keys.addAll()
    self.architecture = architecture.name
    items = arranger.items
    self.keys = keys.entries
    derived = keys.derived
    warnings = limits.warnings
    vocabularySize = description.vocabularySize
    proportions = GGUFProportions(
      architecture.name, keys: keys.entries,
      hasHead: arranger.items.contains { item in
        if case .made(let made, _) = item { made.name == "output.weight" } else { false }
      })
  }

  /// Whether llama.cpp computes with a tensor in F32 only: vectors, norms, biases, and what decides a lot with
  /// few numbers.
  ///
  /// - Parameters:
  ///   - name: as the file has it.
  ///   - shape: outermost dimension first.
  package static func isAlwaysF32(_ name: String, shape: [Int]) -> Bool {
    shape.count < 2 || !name.hasSuffix(".weight")
      || ["_norm", "ffn_gate_inp", "position_embd", "ssm_conv1d"].contains {
        name.hasSuffix($0 + ".weight")
      }
  }
}
