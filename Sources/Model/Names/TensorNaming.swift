import Formats

/// Tells what each tensor of a checkpoint is, from its name and shape and, where names are not
/// enough, from the configuration and the checkpoint's other tensors.
///
/// Works without either: then only fused rows stay uncut, and a square `attn.c_proj` counts as
/// stored output-major.
package struct TensorNaming: Sendable {
  private let config: ModelConfig?
  private let storage: StorageOrder

  /// - Parameters:
  ///   - config: facts for cutting fused rows.
  ///   - tensors: the checkpoint's names and shapes, all or some; they show which way its matrices
  ///     are stored where the names leave that open.
  package init(config: ModelConfig?, tensors: some Sequence<(name: String, shape: [Int])>) {
    self.config = config
    storage = StorageOrder(config: config, tensors: tensors)
  }

  package init(config: ModelConfig?) {
    self.init(config: config, tensors: EmptyCollection())
  }

  /// - Parameter known: how a matrix is stored, where more than names and shapes tell.
  package func identify(
    name: String, dtype: DType, shape: [Int], order known: MatrixOrder? = nil
  ) -> TensorIdentity {
    let parts = TensorName(name)
    let role = Self.role(of: parts, shape: shape)
    let treatment = Treatment(
      role: role, dtype: dtype, shape: shape, isWeight: parts.leaf == .weight)
    // Packed weights have shapes of their own, of which only gpt-oss's stacks are read here.
    let isReadable = if case .quantize = treatment { true } else { role.isExpert }
    let order: MatrixOrder =
      known
      ?? (isReadable && storage.isInputMajor(parts, role: role, shape: shape)
        ? .inputMajor : .outputMajor)
    return TensorIdentity(
      role: role, layer: role == .tower ? nil : parts.layer,
      expert: role == .tower ? nil : parts.expert, treatment: treatment, order: order,
      fusedRows: isReadable
        ? FusedRows(parts, role: role, shape: shape, order: order, config: config)
        : nil)
  }
}

extension TensorNaming {
  /// The first of these that applies: the tower it belongs to, what its leaf says, the table, the
  /// rules for names that are too many to list.
  private static func role(of name: TensorName, shape: [Int]) -> TensorRole {
    if name.path.contains(where: towers.contains) { return .tower }
    if isMaskBuffer(name, shape: shape) { return .maskBuffer }
    switch name.leaf {
    case .quantizationParameter: return .quantizationParameter
    case .bias: return .bias
    case .weight, .parameter: break
    }
    if let role = NamingTable.families.role(of: name.path) { return role }
    if isNorm(name.module) { return .norm }
    if isConvolution(name.module) { return .convolution }
    return .other
  }

  private static let towers: Set<Substring> = [
    "vision_tower", "vision_model", "vision_encoder", "vision_embed_tokens", "visual",
    "audio_tower", "audio_model", "embed_vision", "embed_audio", "multi_modal_projector",
    "patch_embed", "patch_embedding", "vision_embedder", "visual_projection",
    // Phi-4 keeps both parts below its embedding; Idefics 3 calls its projector a connector.
    "embed_tokens_extend", "connector",
  ]

  /// Whether this is the causal mask of GPT-2 (`attn.bias`), GPT-Neo or GPT-NeoX
  /// (`attention.bias`), or the number written into masked places (`masked_bias`). A bias vector
  /// may have the same name, so the shape decides: `[1, 1, n, n]`, and none for the number.
  private static func isMaskBuffer(_ name: TensorName, shape: [Int]) -> Bool {
    switch name.leaf {
    case .bias:
      guard name.module == "attn" || name.module == "attention" else { return false }
      return shape.count == 4 && shape[0] == 1 && shape[1] == 1 && shape[2] == shape[3]
    case .parameter:
      return name.module == "masked_bias" && shape.allSatisfy { $0 == 1 }
    case .weight, .quantizationParameter:
      return false
    }
  }

  /// `norm`, `norm_f`, `norms.3`, `ln`, `ln_1`, `ln2`, `pre_ln`, and whatever ends in `norm` or
  /// begins with `layernorm`.
  private static func isNorm(_ module: Substring) -> Bool {
    let name = module.lowercased()
    if name.hasSuffix("norm") || name.hasPrefix("ln_") || name.hasSuffix("_ln") { return true }
    if name.hasPrefix("layernorm") || name.hasPrefix("layer_norm") { return true }
    if ["norms", "norm_f", "ln"].contains(name) { return true }
    let number = name.reversed().prefix { $0.isNumber }.count
    let base = name.dropLast(number)
    return number > 0 && (base.hasSuffix("norm") || ["norm_", "ln"].contains(base))
  }

  /// `conv`, `conv1`, `conv1d`, `conv_1d`, `attn_sconv`, and the parts of a convolution of keys and
  /// values.
  private static func isConvolution(_ module: Substring) -> Bool {
    let number = module.reversed().prefix { $0.isNumber }.count
    return module.dropLast(number).hasSuffix("conv") || module.hasSuffix("conv1d")
      || module.hasSuffix("conv2d") || convolutions.contains(module)
  }

  private static let convolutions: Set<Substring> = [
    "conv_1d", "conv_k", "conv_v", "conv_qk_depthwise", "conv_qk_grouped",
  ]
}
