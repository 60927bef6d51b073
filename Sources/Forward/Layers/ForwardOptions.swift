import Model

/// What bounds the memory of a pass.
package struct ForwardOptions: Sendable {
  /// Numbers of intermediate values of one block of windows, about.
  package var blockSize: Int

  package init(blockSize: Int = 1 << 27) { self.blockSize = blockSize }

  /// Tokens whose widest intermediate values together have that size.
  func blockTokenCount(of layer: LayerDescription) -> Int {
    max(1, blockSize / max(1, layer.widestFeatures))
  }
}

extension LayerDescription {
  /// About the numbers that a token has at once in the widest part of the layer.
  fileprivate var widestFeatures: Int {
    let mixed =
      switch mixer {
      case .attention(let attention):
        2 * (attention.heads.count + 2 * attention.heads.keyValueCount) * attention.heads.width
      case .latentAttention(let attention):
        attention.heads.count * (3 * attention.heads.width + 2 * attention.heads.valueWidth)
      case .mamba(let mamba): 5 * mamba.channels
      case .mamba2(let mamba): 2 * mamba.input.outputs
      }
    let fed =
      switch feedForward {
      case .plain(let plain): plain.up.outputs
      case .gated(let gated): 4 * gated.down.inputs
      case .mixture(let mixture):
        4 * (mixture.experts.width + (mixture.shared?.expert.down.inputs ?? 0))
      case nil: 0
      }
    return max(mixed, fed)
  }
}
