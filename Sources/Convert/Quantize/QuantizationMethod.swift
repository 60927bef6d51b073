/// How scale and bias of a group are chosen. All methods fill the same layout.
package enum QuantizationMethod: String, Sendable, CaseIterable {
  /// The uniform quantizer between the group's minimum and maximum (QA-LoRA, Eq. 1).
  case minmax
  /// The least squared error of: `minmax`, MLX's own quantizer, and a search from there. Errors
  /// count as much as the weights' input channels do (`ChannelImportance`).
  case search
}
