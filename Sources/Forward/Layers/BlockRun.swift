import Model

/// The parts of a layer, applied to one block of windows.
struct BlockRun {
  let pass: ForwardPass
  let layer: Int
  /// Of the batch.
  let tokens: Range<Int>
  /// In numbers of the block.
  let windows: [Range<Int>]

  var step: LinearStep { LinearStep(pass, layer: layer, tokens: tokens) }

  func mix(_ input: Activations, _ mixer: LayerDescription.Mixer) throws -> Activations {
    switch mixer {
    case .attention(let attention): try attend(input, attention)
    case .latentAttention(let attention): try attend(input, attention)
    case .mamba(let mamba): try self.mamba(input, mamba)
    case .mamba2(let mamba): try mamba2(input, mamba)
    }
  }

  func feed(
    _ input: Activations, _ feedForward: FeedForwardDescription?
  ) throws -> Activations? {
    switch feedForward {
    case .plain(let plain): try self.plain(input, plain)
    case .gated(let gated): try self.gated(input, gated, step)
    case .mixture(let mixture): try self.mixture(input, mixture)
    case nil: nil
    }
  }

  /// The parts of a fused projection's output, in the order of `parts`.
  func split(
    _ fused: Activations, _ rows: FusedRows, _ parts: [FusedRows.Part]
  ) -> [Activations] {
    parts.map { fused.columns(rows.runs(of: $0), count: rows.rowCount(of: $0)) }
  }
}
